package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// endedColumns is what a statement that ends runs r returns of them, in a part called ended, for countEnded.
const endedColumns = `
	r.id, r.project_id, r.workflow_id, r.version, date_trunc('hour', r.created_at, 'UTC') as hour, r.status,
	duration_bucket(r.started_at, r.finished_at) as bucket`

// countEnded adds the runs of ended, without those of drafts, to the counts: once for their workflow, once for their project. The order keeps two
// statements from waiting for each other, in case that two connections are the same writer after all.
const countEnded = `
	insert into run_counts as c (project_id, workflow_id, hour, status, bucket, writer, n)
	select e.project_id, k.id, e.hour, e.status, e.bucket, 1 + pg_backend_pid() % 32767, count(*)
	  from ended e cross join lateral (values (e.workflow_id), (e.project_id)) k (id)
	 where e.version > 0
	 group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
	    on conflict (project_id, workflow_id, hour, status, bucket, writer) do update set n = c.n + excluded.n`

// Stats is the store of how many runs ended, how, and how long they took.
type Stats struct{ Q Querier }

// NeverBegan is the bucket of runs that ended before they began.
const NeverBegan = -1

// CountFilter says which runs are counted: by when they were made.
type CountFilter struct {
	Projects   []uuid.UUID
	WorkflowID *uuid.UUID // nil: all of the projects
	From, To   time.Time  // whole hours; To is not included
	Unit       string     // hour or day
	Zone       string     // whose days they are
}

// Count is how many runs of a time ended in one way and took about as long.
type Count struct {
	At     time.Time  `db:"at"` // the beginning of the hour or day
	Status run.Status `db:"status"`
	Bucket int        `db:"bucket"` // see duration_bucket
	N      int64      `db:"n"`
}

// Counts answers the counts of each hour or day; what is nought is not there.
func (s Stats) Counts(ctx context.Context, f CountFilter) ([]Count, error) {
	keys := f.Projects
	if f.WorkflowID != nil {
		keys = []uuid.UUID{*f.WorkflowID}
	}
	rows, err := s.Q.Query(ctx, `
		select date_trunc(@unit, hour, @zone) as at, status, bucket, sum(n)::bigint as n from run_counts
		 where project_id = any(@projects) and workflow_id = any(@keys) and hour >= @from and hour < @to
		 group by 1, 2, 3 order by 1, 2, 3`,
		args{"unit": f.Unit, "zone": f.Zone, "projects": f.Projects, "keys": keys, "from": f.From, "to": f.To})
	if err != nil {
		return nil, fmt.Errorf("count runs: %w", translate(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Count])
	if err != nil {
		return nil, fmt.Errorf("count runs: %w", translate(err))
	}
	return list, nil
}
