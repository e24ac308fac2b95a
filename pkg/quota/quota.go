// Package quota is how much of an installation a project may use.
package quota

// Quota is how much a project may use at most; of what is zero there is no limit.
type Quota struct {
	Workflows      int // that exist
	RunsPerMinute  int // that start within any minute
	ConcurrentRuns int // that are at work at once; those beyond wait
	Storage        int // bytes that their runs, deliveries and ledger take up
}

// Own is what administrators decided for one project. Where they did not (nil), what holds for the installation does.
type Own struct {
	Workflows      *int `db:"quota_workflows"`
	RunsPerMinute  *int `db:"quota_runs_per_minute"`
	ConcurrentRuns *int `db:"max_concurrent"`
	Storage        *int `db:"quota_storage"`
}

// With is the quota of a project about which something was decided.
func (q Quota) With(o Own) Quota {
	set := func(to *int, from *int) {
		if from != nil {
			*to = *from
		}
	}
	set(&q.Workflows, o.Workflows)
	set(&q.RunsPerMinute, o.RunsPerMinute)
	set(&q.ConcurrentRuns, o.ConcurrentRuns)
	set(&q.Storage, o.Storage)
	return q
}

// What a quota may be.
const (
	Most         = 1_000_000 // of all but storage
	Megabyte     = 1_000_000 // bytes: the least storage
	EarlyWarning = 80        // percent of the storage, from which on people are warned
)
