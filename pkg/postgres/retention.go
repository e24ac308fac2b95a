package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Retention is the store of what ran, seen by its age. Runs, their steps and their logs are kept by the week.
type Retention struct{ Q Querier }

// MakeWeeks makes the partitions of this week and of as many weeks ahead, unless they are there. It answers how many it
// made.
func (s Retention) MakeWeeks(ctx context.Context, ahead int) (made int, err error) {
	err = s.Q.QueryRow(ctx, `
		select count(*) filter (where make_week(now() + w * interval '7 days')) from generate_series(0, $1) w`, ahead).Scan(&made)
	if err != nil {
		return 0, fmt.Errorf("make weeks: %w", err)
	}
	return made, nil
}

// DropWeeks drops the partitions of weeks that ended longer ago than keep. A week in which a run has not finished stays.
// It answers how many partitions are gone.
func (s Retention) DropWeeks(ctx context.Context, keep time.Duration) (dropped int, err error) {
	err = s.Q.QueryRow(ctx, `select drop_weeks(now() - make_interval(secs => $1))`, keep.Seconds()).Scan(&dropped)
	if err != nil {
		return 0, fmt.Errorf("drop weeks: %w", err)
	}
	return dropped, nil
}

// Old is which finished runs are too old, by how they ended; zero keeps all.
type Old struct {
	Succeeded time.Duration
	Failed    time.Duration // cancelled ones too
}

// DropRuns removes up to limit finished runs that are older than they are to be kept: by what their workflows say, or by
// old. It answers how many are gone.
func (s Retention) DropRuns(ctx context.Context, old Old, limit int) (int64, error) {
	rows, err := s.Q.Query(ctx, `
		select id from (
		    (select r.id from workflows w cross join lateral (
		        select r.id from runs r
		         where r.workflow_id = w.id and r.id < first_id_at(now() - w.keep_succeeded) and r.status = 'succeeded'
		         order by r.id limit @limit) r
		      where w.keep_succeeded is not null limit @limit)
		    union all
		    (select r.id from workflows w cross join lateral (
		        select r.id from runs r
		         where r.workflow_id = w.id and r.id < first_id_at(now() - w.keep_failed) and r.status in ('failed', 'cancelled')
		         order by r.id limit @limit) r
		      where w.keep_failed is not null limit @limit)
		    union all
		    (select r.id from runs r
		      where @succeeded > 0 and r.id < first_id_at(now() - make_interval(secs => @succeeded)) and r.status = 'succeeded'
		      order by r.id limit @limit)
		    union all
		    (select u.id from unsuccessful_runs u
		      where @failed > 0 and u.id < first_id_at(now() - make_interval(secs => @failed))
		      order by u.id limit @limit)) o
		 limit @limit`,
		args{"succeeded": old.Succeeded.Seconds(), "failed": old.Failed.Seconds(), "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("find old runs: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	tag, err := s.Q.Exec(ctx, `
		with lines as (delete from run_logs where run_id = any($1)),
		     arrived as (delete from deliveries where id = any($1)),
		     steps as (delete from step_runs where run_id = any($1)),
		     approvals as (delete from approvals where run_id = any($1)),
		     children as (delete from child_runs where parent_id = any($1)),
		     badly as (delete from unsuccessful_runs where id = any($1) returning id),
		     whole as (delete from runs where id = any($1) and status in ('succeeded', 'failed', 'cancelled') returning id)
		select id from whole union select id from badly`, ids)
	if err != nil {
		return 0, fmt.Errorf("drop old runs: %w", err)
	}
	return tag.RowsAffected(), nil
}

// DropChildren forgets up to limit notes of who started whom, of runs that are older than keep; it answers how many.
func (s Retention) DropChildren(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		delete from child_runs where (parent_id, step, attempt, item) in (
		    select c.parent_id, c.step, c.attempt, c.item from child_runs c
		     where c.parent_id < first_id_at(now() - make_interval(secs => $1))
		       and not exists (select from run_live l where l.id = c.parent_id)
		     order by c.parent_id limit $2)`, keep.Seconds(), limit)
	if err != nil {
		return 0, fmt.Errorf("drop child runs: %w", err)
	}
	return tag.RowsAffected(), nil
}

// DropApprovals forgets up to limit questions that are older than keep; it answers how many.
func (s Retention) DropApprovals(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		delete from approvals where id in (
		    select a.id from approvals a
		     where a.id < first_id_at(now() - make_interval(secs => $1)) and not exists (select from run_live l where l.id = a.run_id)
		     order by a.id limit $2)`, keep.Seconds(), limit)
	if err != nil {
		return 0, fmt.Errorf("drop approvals: %w", err)
	}
	return tag.RowsAffected(), nil
}

// settled is how old an hour is when its counts are joined: few of its runs are still under way by then.
const settled = "2 hours"

// JoinCounts joins the counts that several connections keep of hours gone by, up to limit rows; it answers how many it took.
func (s Retention) JoinCounts(ctx context.Context, limit int) (int64, error) {
	var taken int64
	err := s.Q.QueryRow(ctx, `
		with apart as materialized (
		    select project_id, workflow_id, hour, status, bucket, writer from run_counts
		     where writer <> 0 and hour < now() - interval '`+settled+`' order by hour limit $1
		       for update skip locked),
		taken as (
		    delete from run_counts c using apart a
		     where c.project_id = a.project_id and c.workflow_id = a.workflow_id and c.hour = a.hour and c.status = a.status
		       and c.bucket = a.bucket and c.writer = a.writer
		 returning c.*),
		joined as (
		    insert into run_counts as c (project_id, workflow_id, hour, status, bucket, writer, n)
		    select project_id, workflow_id, hour, status, bucket, 0, sum(n) from taken group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
		        on conflict (project_id, workflow_id, hour, status, bucket, writer) do update set n = c.n + excluded.n)
		select count(*) from taken`, limit).Scan(&taken)
	if err != nil {
		return 0, fmt.Errorf("join counts: %w", err)
	}
	return taken, nil
}

// DropCounts forgets up to limit counts of hours that lie further back than keep; it answers how many.
func (s Retention) DropCounts(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		delete from run_counts where (project_id, workflow_id, hour, status, bucket, writer) in (
		    select project_id, workflow_id, hour, status, bucket, writer from run_counts
		     where hour < now() - make_interval(secs => $1) order by hour limit $2)`, keep.Seconds(), limit)
	if err != nil {
		return 0, fmt.Errorf("drop counts: %w", err)
	}
	return tag.RowsAffected(), nil
}
