package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// MostProjects is how many projects one release looks at; those after them come in the next.
const MostProjects = 200

// Released is a run that may go to a worker now.
type Released struct {
	run.Ticket
	ProjectID uuid.UUID `db:"project_id"`
}

// Release lets up to room due runs of a queue go to the workers, the projects taking turns and each its oldest run first;
// a project that has a limit gets no more than that into workers' hands. It may be fewer than there are and than there is room
// for; there are none only when none may go. after is the project that the turn begins behind:
// the zero UUID, or the last one of an answer that had MostProjects of them.
func (s Live) Release(ctx context.Context, queue string, after uuid.UUID, room int) ([]Released, error) {
	// Which projects have something is found by jumping from one to the next in the index ("loose index scan"). What has
	// been chosen is locked by its key: num_nonnulls hides the condition of the indexes of what waits, of which the planner
	// would read everything for each row. A project is looked at no further than twice its share: what the others leave of
	// theirs, because they have less, goes to whoever has more in the next release.
	rows, err := s.Q.Query(ctx, `
		with recursive project as (
		    (select l.project_id as id from run_live l
		      where l.queue = @queue and l.enqueued_at is null and l.gate is null and l.project_id > @after
		      order by l.project_id limit 1)
		    union all
		    select (select l.project_id from run_live l
		             where l.queue = @queue and l.enqueued_at is null and l.gate is null and l.project_id > p.id
		             order by l.project_id limit 1)
		      from project p where p.id is not null),
		asking as (
		    select p.id, coalesce(o.max_concurrent, nullif(@concurrent::int, 0)) as max_concurrent,
		           greatest(2 * @room / count(*) over (), 1) as share,
		           case when o.max_concurrent is not null or @concurrent::int > 0 then
		               (select count(*) from run_live l
		                 where l.queue in ('critical', 'default', 'bulk') and l.project_id = p.id and l.enqueued_at is not null)
		           end as in_hand
		      from (select id from project where id is not null limit @projects) p
		      join projects o on o.id = p.id),
		turn as (
		    select d.id, d.turn, a.id as project_id from asking a cross join lateral (
		        select due.id, row_number() over (order by due.due_at, due.id) as turn
		          from (select l.id, l.due_at from run_live l
		                 where l.queue = @queue and l.enqueued_at is null and l.gate is null and l.project_id = a.id
		                   and l.due_at <= now() and l.state in ('queued', 'waiting', 'held') and l.cancel is null
		                 order by l.due_at, l.id
		                 limit greatest(least(@room, a.share, a.max_concurrent - a.in_hand), 0)) due) d
		     order by d.turn, a.id
		     limit @room),
		chosen as (
		    select l.id from turn t cross join lateral (
		        select l.id from run_live l
		         where l.id = t.id and num_nonnulls(l.enqueued_at, l.gate) = 0 and l.state in ('queued', 'waiting', 'held')
		           for update skip locked) l)
		update run_live l
		   set enqueued_at = now(), enqueues = least(l.enqueues + 1, 30), state = 'queued',
		       held_for = l.held_for + coalesce(extract(epoch from now() - l.held_at), 0), held_at = null
		  from chosen c where l.id = c.id
		returning l.id, l.attempt, l.queue, l.project_id`,
		args{"queue": queue, "after": after, "room": room, "projects": MostProjects, "concurrent": s.Concurrent})
	if err != nil {
		return nil, fmt.Errorf("release runs: %w", err)
	}
	released, err := pgx.CollectRows(rows, pgx.RowToStructByName[Released])
	if err != nil {
		return nil, fmt.Errorf("release runs: %w", err)
	}
	return released, nil
}

// Retake answers up to limit runs that were released so long ago that the queue must have lost their tickets, and counts
// that they are handed out once more. The grace doubles with every time.
func (s Live) Retake(ctx context.Context, grace time.Duration, limit int) ([]run.Ticket, error) {
	rows, err := s.Q.Query(ctx, `
		with lost as (
		    select id from run_live
		     where queue in ('critical', 'default', 'bulk') and enqueued_at is not null and state = 'queued' and cancel is null
		       and enqueued_at < now() - make_interval(secs => @grace * power(2, least(enqueues, 6) - 1))
		     limit @limit
		       for update skip locked)
		update run_live l set enqueued_at = now(), enqueues = least(l.enqueues + 1, 30)
		  from lost where l.id = lost.id
		returning l.id, l.attempt, l.queue`,
		args{"grace": grace.Seconds(), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("take forgotten runs: %w", err)
	}
	return collectTickets(rows, "take forgotten runs")
}

func collectTickets(rows pgx.Rows, what string) ([]run.Ticket, error) {
	tickets, err := pgx.CollectRows(rows, pgx.RowToStructByName[run.Ticket])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return tickets, nil
}

// OpenGates lets runs go on that waited for earlier ones: of a trigger whose earlier runs have finished the oldest, of a
// workflow with a limit as many as it has room for. It answers how many.
func (s Live) OpenGates(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		with recursive gate as (
		    (select l.gate as id from run_live l where l.gate is not null order by l.gate limit 1)
		    union all
		    select (select l.gate from run_live l where l.gate > g.id order by l.gate limit 1) from gate g where g.id is not null),
		room as (
		    -- A trigger's gate: its runs that passed are those with another gate, or none.
		    select g.id, (case when exists (select from run_live l where l.trigger_id = g.id and l.gate is distinct from g.id)
		                       then 0 else 1 end)::bigint as n
		      from gate g join triggers t on t.id = g.id
		    union all
		    -- A workflow's: those without a gate.
		    select g.id, coalesce(w.max_concurrent
		                          - (select count(*) from run_live l where l.workflow_id = g.id and l.gate is null), 1000)
		      from gate g join workflows w on w.id = g.id),
		head as (
		    select d.id from room r cross join lateral (
		        select l.id from run_live l where l.gate = r.id order by l.id limit greatest(r.n, 0)) d),
		chosen as (
		    select l.id, case when l.gate = l.trigger_id and w.max_concurrent is not null then l.workflow_id end as next
		      from head h cross join lateral (
		          select l.id, l.gate, l.trigger_id, l.workflow_id from run_live l
		           where l.id = h.id and num_nulls(l.gate) = 0 -- by its key, not by the index of gates
		             for update skip locked) l
		      join workflows w on w.id = l.workflow_id)
		update run_live l set gate = c.next, due_at = greatest(l.due_at, now()) from chosen c where l.id = c.id`)
	if err != nil {
		return 0, fmt.Errorf("open gates: %w", err)
	}
	return tag.RowsAffected(), nil
}

// NotEnqueued says that the queue did not take these runs, so that they are released again.
func (s Live) NotEnqueued(ctx context.Context, ids []uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `update run_live set enqueued_at = null, enqueues = greatest(enqueues - 1, 0)
		where id = any($1) and state in ('queued', 'waiting')`, ids)
	if err != nil {
		return fmt.Errorf("mark runs as not enqueued: %w", err)
	}
	return nil
}

// ForgetEnqueued says that the queue lost everything it had.
func (s Live) ForgetEnqueued(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `update run_live set enqueued_at = null, enqueues = 0
		where queue in ('critical', 'default', 'bulk') and enqueued_at is not null and state in ('queued', 'waiting')`)
	if err != nil {
		return 0, fmt.Errorf("forget what was enqueued: %w", err)
	}
	return tag.RowsAffected(), nil
}

// NextDue is, by queue, the wait until its next run that is not released is due, by the database's clock. Queues that have
// none within horizon are missing from the answer; zero means that runs are due for which there was no room.
func (s Live) NextDue(ctx context.Context, horizon time.Duration) (map[string]time.Duration, error) {
	rows, err := s.Q.Query(ctx, `
		select q.name, extract(epoch from l.due_at - clock_timestamp())::float8
		  from queues q cross join lateral (
		    select l.due_at from run_live l
		     where l.queue = q.name and l.enqueued_at is null and l.gate is null and l.state in ('queued', 'waiting', 'held')
		       and l.cancel is null and l.due_at <= now() + make_interval(secs => $1)
		     order by l.due_at limit 1) l`, horizon.Seconds())
	if err != nil {
		return nil, fmt.Errorf("find the next due runs: %w", err)
	}
	waits := make(map[string]time.Duration)
	var queue string
	var seconds float64
	_, err = pgx.ForEachRow(rows, []any{&queue, &seconds}, func() error {
		waits[queue] = max(time.Duration(seconds*float64(time.Second)), 0)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the next due runs: %w", err)
	}
	return waits, nil
}

// ClaimReleased takes up to limit released runs without tickets, for a worker that cannot reach Redis. Queues that are
// paused are left alone.
func (s Live) ClaimReleased(ctx context.Context, worker string, limit int) ([]Claimed, error) {
	var tickets []run.Ticket
	rows, err := s.Q.Query(ctx, `
		select l.id, l.attempt, l.queue from queues q cross join lateral (
		    select l.id, l.attempt, l.queue, l.due_at from run_live l
		     where l.queue = q.name and l.enqueued_at is not null and l.state = 'queued' and l.cancel is null
		     order by l.due_at limit $1) l
		 where q.paused_at is null
		 order by array_position(array['critical', 'default', 'bulk'], l.queue), l.due_at limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("find released runs: %w", err)
	}
	if tickets, err = collectTickets(rows, "find released runs"); err != nil || len(tickets) == 0 {
		return nil, err
	}
	return s.Claim(ctx, worker, tickets)
}
