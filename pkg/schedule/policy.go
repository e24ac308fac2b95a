package schedule

import (
	"slices"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Missed is what becomes of fires that were not run in time: after downtime, or when a trigger is enabled again.
type Missed string

// The values of Missed.
const (
	MissedSkip   Missed = "skip"   // only recorded
	MissedLatest Missed = "latest" // the newest runs once, for all of them (default)
	MissedAll    Missed = "all"    // each runs, oldest first, up to a limit
)

// Overlap is what a fire does while an earlier run of its workflow is still going on.
type Overlap string

// The values of Overlap.
const (
	OverlapSkip          Overlap = "skip"           // the new fire is only recorded (default)
	OverlapAllow         Overlap = "allow"          // both run
	OverlapQueueOne      Overlap = "queue_one"      // one waits; further ones are recorded
	OverlapQueueAll      Overlap = "queue_all"      // each waits its turn
	OverlapCancelRunning Overlap = "cancel_running" // the running one is cancelled
)

// Check returns a *fault.Error with an empty pointer for a value that is not known; empty is the default, latest.
func (m Missed) Check() error {
	switch m {
	case "", MissedSkip, MissedLatest, MissedAll:
		return nil
	}
	return fault.At("", "unknown_value", "%q is not known: use latest (default), skip or all", string(m))
}

// Or returns m, or its default when it is empty.
func (m Missed) Or() Missed {
	if m == "" {
		return MissedLatest
	}
	return m
}

// Check returns a *fault.Error with an empty pointer for a value that is not known; empty is the default, skip.
func (o Overlap) Check() error {
	switch o {
	case "", OverlapSkip, OverlapAllow, OverlapQueueOne, OverlapQueueAll, OverlapCancelRunning:
		return nil
	}
	return fault.At("", "unknown_value",
		"%q is not known: use skip (default), allow, queue_one, queue_all or cancel_running", string(o))
}

// Or returns o, or its default when it is empty.
func (o Overlap) Or() Overlap {
	if o == "" {
		return OverlapSkip
	}
	return o
}

// Defaults and limits of a Policy.
const (
	DefaultWindow = 24 * time.Hour
	DefaultLimit  = 10
	MaxLimit      = 1000
	DefaultGrace  = time.Minute
	MinGrace      = time.Second // nothing that is less late than that was missed
	MaxWindow     = 366 * 24 * time.Hour
	MaxGrace      = 24 * time.Hour
)

// Policy decides about missed fires. Zero fields take the defaults.
type Policy struct {
	Missed Missed        `json:"missed,omitempty"`
	Window time.Duration `json:"window,omitempty"` // misses older than this never run; 24 h
	Limit  int           `json:"limit,omitempty"`  // how many MissedAll runs at most; 10
	Grace  time.Duration `json:"grace,omitempty"`  // how late a fire may start without being missed; 60 s
}

// Check returns a *fault.Error that names each wrong field by /missed, /window, /limit or /grace.
func (p Policy) Check() error {
	var c checker
	if p.Missed.Check() != nil {
		c.add("/missed", "unknown_value", "%q is not known: use latest (default), skip or all", string(p.Missed))
	}
	if p.Window < 0 || p.Window > MaxWindow {
		c.add("/window", "out_of_range", "%s is out of range: from 1s to %s", p.Window, MaxWindow)
	}
	if p.Limit < 0 || p.Limit > MaxLimit {
		c.add("/limit", "out_of_range", "%d is out of range: from 1 to %d", p.Limit, MaxLimit)
	}
	if p.Grace < 0 || p.Grace > MaxGrace {
		c.add("/grace", "out_of_range", "%s is out of range: from 1s to %s", p.Grace, MaxGrace)
	}
	return fault.InvalidFields(c.fields)
}

// What becomes of a fire.
const (
	OutcomeRun       = "run"       // on time
	OutcomeRunLate   = "run_late"  // missed, and run now
	OutcomeCoalesced = "coalesced" // missed; another fire runs for it
	// A fire that does not run has OutcomeSkipped and one of these reasons.
	ReasonMissed        = "missed"
	ReasonOutsideWindow = "outside_window"
	ReasonLimit         = "limit"
)

// Decision is what becomes of one due fire.
type Decision struct {
	FireAt  time.Time
	Outcome string    // run, run_late, coalesced or skipped
	Reason  string    // why it is skipped
	Into    time.Time // for coalesced: the fire that runs for it
}

// Decide says what becomes of each due fire, one decision per fire, in the order of time. due need not be sorted;
// a fire that is not due yet counts as on time.
func (p Policy) Decide(due []time.Time, now time.Time) []Decision {
	if p.Window == 0 {
		p.Window = DefaultWindow
	}
	if p.Limit == 0 {
		p.Limit = DefaultLimit
	}
	if p.Grace == 0 {
		p.Grace = DefaultGrace
	}
	due = slices.SortedFunc(slices.Values(due), time.Time.Compare)
	late := now.Add(-p.Grace)
	punctual, _ := slices.BinarySearchFunc(due, late, time.Time.Compare) // from here on they are on time
	oldest := now.Add(-max(p.Window, p.Grace))
	inWindow, _ := slices.BinarySearchFunc(due[:punctual], oldest, time.Time.Compare) // from here on they may run

	list := make([]Decision, 0, len(due))
	for i, at := range due {
		d := Decision{FireAt: at, Outcome: OutcomeSkipped}
		switch {
		case i >= punctual:
			d.Outcome = OutcomeRun
		case p.Missed == MissedSkip:
			d.Reason = ReasonMissed
		case i < inWindow:
			d.Reason = ReasonOutsideWindow
		case p.Missed == MissedAll && i < punctual-p.Limit:
			d.Reason = ReasonLimit
		case p.Missed == MissedAll:
			d.Outcome = OutcomeRunLate
		case punctual < len(due):
			d.Outcome, d.Into = OutcomeCoalesced, due[punctual]
		case i == punctual-1:
			d.Outcome = OutcomeRunLate
		default:
			d.Outcome, d.Into = OutcomeCoalesced, due[punctual-1]
		}
		list = append(list, d)
	}
	return list
}
