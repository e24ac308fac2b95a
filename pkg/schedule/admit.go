package schedule

// Admission is what an overlap policy says of one more run of a trigger.
type Admission string

// The admissions.
const (
	AdmitNow     Admission = "now"     // it may begin
	AdmitQueued  Admission = "queued"  // it waits for those before it
	AdmitInstead Admission = "instead" // those before it are cancelled, and it waits for their end
	RefuseOver   Admission = "overlap" // one is under way
	RefuseWaits  Admission = "waits"   // one waits already
	RefuseFull   Admission = "full"    // as many wait as may
)

// MostQueued is how many runs of a trigger may wait for each other.
const MostQueued = 1000

// Admit decides about a run while live runs of its trigger have not finished, of which waiting have not begun because they
// wait for others.
func (o Overlap) Admit(live, waiting int) Admission {
	o = o.Or()
	switch {
	case live == 0 || o == OverlapAllow:
		return AdmitNow
	case waiting >= MostQueued:
		return RefuseFull
	case o == OverlapSkip:
		return RefuseOver
	case o == OverlapQueueOne && waiting > 0:
		return RefuseWaits
	case o == OverlapCancelRunning:
		return AdmitInstead
	}
	return AdmitQueued
}
