package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
)

// Quotas is the store of how much projects may use, and of how much they do.
type Quotas struct{ Q Querier }

// Own reads what was decided for each of the projects.
func (s Quotas) Own(ctx context.Context, projects []uuid.UUID) (map[uuid.UUID]quota.Own, error) {
	rows, err := s.Q.Query(ctx, `
		select id, quota_workflows, quota_runs_per_minute, max_concurrent, quota_storage from projects where id = any($1)`, projects)
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	type row struct {
		ID uuid.UUID `db:"id"`
		quota.Own
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	found := make(map[uuid.UUID]quota.Own, len(list))
	for _, r := range list {
		found[r.ID] = r.Own
	}
	return found, nil
}

// Set decides for a project.
func (s Quotas) Set(ctx context.Context, project uuid.UUID, o quota.Own) error {
	return Projects(s).change(ctx, "set quota", `
		update projects set quota_workflows = $2, quota_runs_per_minute = $3, max_concurrent = $4, quota_storage = $5
		 where id = $1 and deleted_at is null`, project, o.Workflows, o.RunsPerMinute, o.ConcurrentRuns, o.Storage)
}

// Paced lists the projects of which something was decided about how many runs they start.
func (s Quotas) Paced(ctx context.Context) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `select id from projects where quota_runs_per_minute is not null`)
	if err != nil {
		return nil, fmt.Errorf("list projects with quotas: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list projects with quotas: %w", err)
	}
	return ids, nil
}

// Wait lets those who are about to count what projects use, and to add to it, do so one after the other. It needs a
// transaction.
func (s Quotas) Wait(ctx context.Context, projects []uuid.UUID) error {
	slices.SortFunc(projects, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	_, err := s.Q.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('orq quota ' || id, 0)) from unnest($1::uuid[]) as p (id)`, projects)
	if err != nil {
		return fmt.Errorf("wait for quotas: %w", err)
	}
	return nil
}

// Pace is how many runs a project has started within the last minute.
type Pace struct {
	ProjectID uuid.UUID `db:"id"`
	Started   int       `db:"started"`
	// Free is in how many seconds one more may start, when as many have as may.
	Free float64 `db:"free"`
}

// Paces counts the runs that each of the projects has started within the last minute; most are, in their order, how many each may.
func (s Quotas) Paces(ctx context.Context, projects []uuid.UUID, most []int) ([]Pace, error) {
	limits := make([]int32, len(most))
	for i, n := range most {
		limits[i] = int32(n) //nolint:gosec // quota.Most
	}
	rows, err := s.Q.Query(ctx, `
		select p.id, c.started,
		       coalesce((select extract(epoch from r.created_at + interval '1 minute' - clock_timestamp())
		                   from runs r where r.project_id = p.id and r.id >= first_id_at(now() - interval '1 minute')
		                  order by r.id offset greatest(c.started - p.most, 0) limit 1), 0)::float8 as free
		  from unnest($1::uuid[], $2::int[]) as p (id, most) cross join lateral (
		    select count(*)::int as started from runs r where r.project_id = p.id and r.id >= first_id_at(now() - interval '1 minute')) c`,
		projects, limits)
	if err != nil {
		return nil, fmt.Errorf("count started runs: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Pace])
	if err != nil {
		return nil, fmt.Errorf("count started runs: %w", err)
	}
	return list, nil
}

// Wait is Free as a time, of a millisecond at least.
func (p Pace) Wait() time.Duration {
	return max(time.Duration(p.Free*float64(time.Second)), time.Millisecond)
}

// Usage is how much a project uses.
type Usage struct {
	ProjectID uuid.UUID `db:"project_id"`
	Workflows int       `db:"workflows"`
	LastMin   int       `db:"last_minute"` // runs started within a minute
	AtWork    int       `db:"at_work"`     // runs in workers' hands
	Stored    int       `db:"stored"`      // bytes, as of the last weighing
}

// Workflows counts those of a project.
func (s Quotas) Workflows(ctx context.Context, project uuid.UUID) (n int, err error) {
	err = s.Q.QueryRow(ctx, `select count(*) from workflows where project_id = $1 and deleted_at is null`, project).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count workflows: %w", err)
	}
	return n, nil
}

// Usage counts what projects use.
func (s Quotas) Usage(ctx context.Context, projects []uuid.UUID) (map[uuid.UUID]Usage, error) {
	rows, err := s.Q.Query(ctx, `
		select p.id as project_id,
		       (select count(*) from workflows w where w.project_id = p.id and w.deleted_at is null) as workflows,
		       (select count(*) from runs r where r.project_id = p.id and r.id >= first_id_at(now() - interval '1 minute')) as last_minute,
		       (select count(*) from run_live l
		         where l.queue in ('critical', 'default', 'bulk') and l.project_id = p.id and l.enqueued_at is not null) as at_work,
		       coalesce((select s.bytes from project_storage s where s.project_id = p.id), 0) as stored
		  from unnest($1::uuid[]) as p (id)`, projects)
	if err != nil {
		return nil, fmt.Errorf("count what projects use: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Usage])
	if err != nil {
		return nil, fmt.Errorf("count what projects use: %w", err)
	}
	used := make(map[uuid.UUID]Usage, len(list))
	for _, u := range list {
		used[u.ProjectID] = u
	}
	return used, nil
}
