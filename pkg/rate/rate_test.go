package rate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
)

func TestLimitsAreWrittenAsANumberAndATime(t *testing.T) {
	for text, want := range map[string]rate.Limit{
		"600/1m":     {Burst: 600, Period: time.Minute},
		" 5 / 1h30m": {Burst: 5, Period: 90 * time.Minute},
		"1/24h":      {Burst: 1, Period: 24 * time.Hour},
		"off":        {},
		"":           {},
	} {
		got, err := rate.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
		again, err := rate.Parse(got.String())
		if err != nil || again != got {
			t.Errorf("%q was written as %q and read as %v, %v", text, got, again, err)
		}
	}
	if s := (rate.Limit{Burst: 2, Period: time.Hour}).String(); s != "2/1h" {
		t.Errorf("an hour is written %s", s)
	}
}

func TestLimitsThatAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"600":        "as in 600/1m",
		"0/1m":       "from 1 to",
		"-1/1m":      "from 1 to",
		"2000000/1m": "from 1 to",
		"many/1m":    "from 1 to",
		"600/minute": "from 1s to 24h",
		"600/1ms":    "from 1s to 24h",
		"600/48h":    "from 1s to 24h",
		"on":         "and not off",
	} {
		if _, err := rate.Parse(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Parse(%q) = %v, want it to say %q", text, err, says)
		}
	}
}

func TestABucketRefillsEvenly(t *testing.T) {
	limit := rate.Limit{Burst: 60, Period: time.Minute}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var b rate.Bucket
	if got := b.Take(now, limit, 50); got.N != 50 || got.Left != 10 || got.Reset != 50*time.Second {
		t.Errorf("the first 50: %+v", got)
	}
	if got := b.Take(now, limit, 50); got.N != 10 || got.Left != 0 {
		t.Errorf("what was left: %+v", got)
	}
	if got := b.Take(now, limit, 1); got.N != 0 || got.Wait != time.Second {
		t.Errorf("one too many: %+v", got)
	}
	now = now.Add(time.Second)
	if got := b.Take(now, limit, 2); got.N != 1 {
		t.Errorf("a second later: %+v", got)
	}
	if b.Idle(now) || !b.Idle(now.Add(time.Minute)) {
		t.Error("it is idle when all of its limit is there again, and not before")
	}
	if got := b.Take(now.Add(time.Hour), limit, 100); got.N != 60 {
		t.Errorf("what was not used does not pile up: %+v", got)
	}
}

func TestABucketWithoutLimitLetsAllThrough(t *testing.T) {
	var b rate.Bucket
	for range 3 {
		if got := b.Take(time.Unix(0, 0), rate.Limit{}, 1_000); got.N != 1_000 {
			t.Fatalf("%+v", got)
		}
	}
}
