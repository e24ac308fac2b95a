package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// TestDecide: now is minute 0; a fire is named by the minutes it lies back.
func TestDecide(t *testing.T) {
	now := at(t, "2026-01-10T00:00:00Z")
	for _, c := range []struct {
		name   string
		policy Policy
		due    []int
		want   string
	}{
		{"nothing is due", Policy{}, nil, ""},
		{"on time", Policy{}, []int{0}, "0 run"},
		{"within the grace", Policy{Grace: 5 * time.Minute}, []int{5}, "5 run"},
		{"just beyond the grace", Policy{Grace: 4 * time.Minute}, []int{5}, "5 run_late"},
		{"latest: the newest runs for all", Policy{}, []int{30, 20, 10}, "30 coalesced→10, 20 coalesced→10, 10 run_late"},
		{"latest: one on time runs for the missed", Policy{Missed: MissedLatest}, []int{20, 10, 1, 0}, "20 coalesced→1, 10 coalesced→1, 1 run, 0 run"},
		{"latest: too old", Policy{Window: time.Hour}, []int{120, 61, 60}, "120 skipped outside_window, 61 skipped outside_window, 60 run_late"},
		{"latest: all too old", Policy{Window: time.Hour}, []int{120, 90}, "120 skipped outside_window, 90 skipped outside_window"},
		{"skip", Policy{Missed: MissedSkip}, []int{20, 10, 0}, "20 skipped missed, 10 skipped missed, 0 run"},
		{"all", Policy{Missed: MissedAll}, []int{20, 10, 0}, "20 run_late, 10 run_late, 0 run"},
		{"all: the newest of them", Policy{Missed: MissedAll, Limit: 2}, []int{40, 30, 20, 10, 0}, "40 skipped limit, 30 skipped limit, 20 run_late, 10 run_late, 0 run"},
		{"all: window before limit", Policy{Missed: MissedAll, Limit: 2, Window: time.Hour}, []int{90, 30, 20, 10}, "90 skipped outside_window, 30 skipped limit, 20 run_late, 10 run_late"},
		{"unsorted", Policy{Missed: MissedAll}, []int{10, 20}, "20 run_late, 10 run_late"},
		{"a window shorter than the grace skips nothing that is on time", Policy{Window: time.Second}, []int{1, 2}, "2 skipped outside_window, 1 run"},
	} {
		var due []time.Time
		for _, minutes := range c.due {
			due = append(due, now.Add(-time.Duration(minutes)*time.Minute))
		}
		back := func(t time.Time) string { return fmt.Sprint(int(now.Sub(t).Minutes())) }
		var got []string
		for _, d := range c.policy.Decide(due, now) {
			text := back(d.FireAt) + " " + d.Outcome
			if !d.Into.IsZero() {
				text += "→" + back(d.Into)
			}
			got = append(got, strings.TrimSpace(text+" "+d.Reason))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, text, c.want)
		}
	}
}

func TestDecideProperties(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			Missed: rapid.SampledFrom([]Missed{"", MissedSkip, MissedLatest, MissedAll}).Draw(t, "missed"),
			Window: time.Duration(rapid.IntRange(0, 5000).Draw(t, "window")) * time.Second,
			Limit:  rapid.IntRange(0, 20).Draw(t, "limit"),
			Grace:  time.Duration(rapid.IntRange(0, 600).Draw(t, "grace")) * time.Second,
		}
		var due []time.Time
		for _, s := range rapid.SliceOf(rapid.IntRange(-5, 10_000)).Draw(t, "due") {
			due = append(due, now.Add(-time.Duration(s)*time.Second))
		}
		runs := map[time.Time]bool{}
		late := 0
		list := p.Decide(due, now)
		for _, d := range list {
			if d.Outcome == OutcomeRun || d.Outcome == OutcomeRunLate {
				runs[d.FireAt] = true
			}
			if d.Outcome == OutcomeRunLate {
				late++
			}
		}
		if len(list) != len(due) {
			t.Fatalf("%d decisions for %d fires", len(list), len(due))
		}
		for _, d := range list {
			if d.Outcome == OutcomeCoalesced && !runs[d.Into] {
				t.Fatalf("%v went into a fire that does not run", d)
			}
			if (d.Outcome == OutcomeSkipped) != (d.Reason != "") {
				t.Fatalf("%v: a reason belongs to what is skipped", d)
			}
		}
		limit := map[Missed]int{"": 1, MissedLatest: 1, MissedAll: p.Limit}[p.Missed]
		if p.Missed == MissedAll && p.Limit == 0 {
			limit = DefaultLimit
		}
		if late > limit {
			t.Fatalf("%d late runs, at most %d", late, limit)
		}
	})
}

func TestPolicyValues(t *testing.T) {
	for _, m := range []Missed{"", MissedSkip, MissedLatest, MissedAll} {
		if err := m.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, o := range []Overlap{"", OverlapSkip, OverlapAllow, OverlapQueueOne, OverlapQueueAll, OverlapCancelRunning} {
		if err := o.Check(); err != nil {
			t.Error(err)
		}
	}
	if Missed("").Or() != MissedLatest || Overlap("").Or() != OverlapSkip || MissedAll.Or() != MissedAll {
		t.Error("wrong defaults")
	}
	if !fault.Is(Missed("x").Check(), fault.Invalid) || !fault.Is(Overlap("x").Check(), fault.Invalid) {
		t.Error("an unknown value must be refused")
	}
	err := Policy{Missed: "x", Window: -1, Limit: 1001, Grace: 25 * time.Hour}.Check()
	if f, ok := fault.Of(err); !ok || len(f.Fields) != 4 {
		t.Errorf("Check() = %v, want four fields", err)
	}
	if err := (Policy{Limit: 1000}).Check(); err != nil {
		t.Error(err)
	}
}
