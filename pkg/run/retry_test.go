package run

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDelayGrows(t *testing.T) {
	exp := Retry{Attempts: 5, Backoff: Exponential, Initial: time.Second, Max: time.Minute}
	lin := Retry{Attempts: 5, Backoff: Linear, Initial: time.Second, Max: time.Minute}
	fix := Retry{Attempts: 5, Backoff: Fixed, Initial: time.Second, Max: time.Minute}
	const most = 1 - 1e-9 // the largest jitter gives the whole delay
	for _, c := range []struct {
		name     string
		retry    Retry
		failures int
		after    time.Duration
		want     time.Duration
	}{
		{"exponential first", exp, 1, 0, time.Second},
		{"exponential third", exp, 3, 0, 4 * time.Second},
		{"exponential is capped", exp, 40, 0, time.Minute},
		{"linear third", lin, 3, 0, 3 * time.Second},
		{"fixed third", fix, 3, 0, time.Second},
		{"the other side asks for more", fix, 1, 5 * time.Second, 5 * time.Second},
		{"but not for more than the limit", fix, 1, time.Hour, time.Minute},
		{"defaults", Retry{Attempts: 2}, 2, 0, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.retry.Delay(c.failures, c.after, most); (got - c.want).Abs() > time.Microsecond {
				t.Errorf("Delay = %v, want %v", got, c.want)
			}
		})
	}
}

func TestDelayStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Retry{
			Backoff: rapid.SampledFrom([]Backoff{Exponential, Linear, Fixed, ""}).Draw(t, "backoff"),
			Initial: time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "initial")),
			Max:     time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "max")),
		}
		failures := rapid.IntRange(-3, 1000).Draw(t, "failures")
		got := r.Delay(failures, 0, rapid.Float64Range(0, 0.999).Draw(t, "jitter"))
		limit := r.Max
		if limit <= 0 {
			limit = time.Minute
		}
		if got < 0 || got > limit {
			t.Fatalf("Delay = %v, limit %v", got, limit)
		}
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		on    []string
		class string
		want  bool
	}{
		{nil, "503", true},
		{nil, "429", true},
		{nil, "404", false},
		{nil, FailureTimeout, true},
		{nil, FailureConnection, true},
		{nil, FailureConfig, false},
		{[]string{"any"}, "404", true},
		{[]string{"any"}, FailureConfig, false},
		{[]string{"4xx"}, "404", true},
		{[]string{"4xx"}, "503", false},
		{[]string{"404"}, "404", true},
	} {
		if got := (Retry{On: c.on}).Covers(c.class); got != c.want {
			t.Errorf("Retry{On: %v}.Covers(%s) = %v", c.on, c.class, got)
		}
	}
}
