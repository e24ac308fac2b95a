package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Queues is the store of what people decided about the queues, and of who works on them.
type Queues struct{ Q Querier }

// QueueRow is a queue with what waits in it.
type QueueRow struct {
	Name          string     `db:"name"`
	MaxConcurrent *int       `db:"max_concurrent"` // runs in workers' hands; nil: as many as there is room for
	PausedAt      *time.Time `db:"paused_at"`
	PausedBy      *string    `db:"paused_by"`
	Released      int        `db:"released"` // handed out and not taken yet
	Running       int        `db:"running"`
}

// List lists the queues, the most urgent first. Their runs are counted where there is a limit, or with count.
func (s Queues) List(ctx context.Context, count bool) ([]QueueRow, error) {
	rows, err := s.Q.Query(ctx, `
		select q.name, q.max_concurrent, q.paused_at, q.paused_by, l.released, l.running
		  from queues q cross join lateral (
		    select count(*) filter (where l.state = 'queued') as released, count(*) filter (where l.state = 'running') as running
		      from run_live l
		     where ($1 or q.max_concurrent is not null) and l.queue = q.name and l.enqueued_at is not null) l
		 order by array_position(array['critical', 'default', 'bulk'], q.name)`, count)
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[QueueRow])
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	return list, nil
}

// Backlog is what waits in a queue.
type Backlog struct {
	Queue   string        `db:"queue"`
	Due     int           `db:"due"`     // wants a worker
	Later   int           `db:"later"`   // waits for an instant
	Gated   int           `db:"gated"`   // waits for earlier runs
	Retries int           `db:"retries"` // of those that wait for an instant: runs that a worker had before
	Held    int           `db:"held"`    // waits for a person
	Oldest  time.Duration `db:"oldest"`  // how long the oldest due one has waited
}

// Backlogs counts what waits in each queue. It reads all live rows.
func (s Queues) Backlogs(ctx context.Context) (map[string]Backlog, error) {
	rows, err := s.Q.Query(ctx, `
		select queue,
		       count(*) filter (where state in ('queued', 'waiting') and gate is null and due_at <= now()) as due,
		       count(*) filter (where state in ('queued', 'waiting') and gate is null and due_at > now()) as later,
		       count(*) filter (where gate is not null) as gated,
		       count(*) filter (where state = 'waiting' and attempt > 0) as retries,
		       count(*) filter (where state = 'held') as held,
		       make_interval(secs => greatest(extract(epoch from now() - min(due_at)
		           filter (where state in ('queued', 'waiting') and gate is null and due_at <= now())), 0)) as oldest
		  from run_live group by queue`)
	if err != nil {
		return nil, fmt.Errorf("count what waits: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Backlog])
	if err != nil {
		return nil, fmt.Errorf("count what waits: %w", err)
	}
	backlogs := make(map[string]Backlog, len(list))
	for _, b := range list {
		backlogs[b.Queue] = b
	}
	return backlogs, nil
}

// Pause keeps a queue's runs from workers; by is who wants that, for people. ErrNotFound when there is no such queue.
func (s Queues) Pause(ctx context.Context, name, by string) error {
	return s.change(ctx, `update queues set paused_at = coalesce(paused_at, now()), paused_by = coalesce(paused_by, $2) where name = $1`, name, by)
}

// Resume undoes Pause.
func (s Queues) Resume(ctx context.Context, name string) error {
	return s.change(ctx, `update queues set paused_at = null, paused_by = null where name = $1`, name)
}

// Limit sets how many of a queue's runs may be in workers' hands; nil lifts the limit.
func (s Queues) Limit(ctx context.Context, name string, most *int) error {
	return s.change(ctx, `update queues set max_concurrent = $2 where name = $1`, name, most)
}

// LimitProject sets how many runs of a project may be in workers' hands; nil lifts the limit.
func (s Queues) LimitProject(ctx context.Context, project uuid.UUID, most *int) error {
	return s.change(ctx, `update projects set max_concurrent = $2 where id = $1`, project, most)
}

func (s Queues) change(ctx context.Context, sql string, args ...any) error {
	tag, err := s.Q.Exec(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("change a queue: %w", translate(err))
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return Notify(ctx, s.Q, DueChannel)
}

// WorkerRow is a worker that beats.
type WorkerRow struct {
	Name      string    `db:"name"`
	Version   string    `db:"version"`
	Slots     int       `db:"slots"` // runs it does at a time
	Running   int       `db:"running"`
	StartedAt time.Time `db:"started_at"`
	BeatAt    time.Time `db:"beat_at"`
	Leaving   bool      `db:"leaving"` // takes no more
}

// WorkerBeat says that a worker is there.
func (s Queues) WorkerBeat(ctx context.Context, w WorkerRow) error {
	_, err := s.Q.Exec(ctx, `
		insert into workers (name, version, slots, leaving) values ($1, $2, $3, $4)
		on conflict (name) do update set beat_at = now(), slots = excluded.slots, leaving = excluded.leaving`,
		w.Name, w.Version, w.Slots, w.Leaving)
	if err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	return nil
}

// WorkerGone says that a worker has left.
func (s Queues) WorkerGone(ctx context.Context, name string) error {
	if _, err := s.Q.Exec(ctx, `delete from workers where name = $1`, name); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

// Workers lists the workers that have beaten within silence, oldest first.
func (s Queues) Workers(ctx context.Context, silence time.Duration) ([]WorkerRow, error) {
	rows, err := s.Q.Query(ctx, `
		select w.name, w.version, w.slots, w.started_at, w.beat_at, w.leaving,
		       (select count(*) from run_live l
		         where l.queue in ('critical', 'default', 'bulk') and l.enqueued_at is not null
		           and l.worker = w.name and l.state = 'running') as running
		  from workers w where w.beat_at > now() - make_interval(secs => $1) order by w.started_at, w.name`, silence.Seconds())
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[WorkerRow])
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	return list, nil
}

// Slots is how many runs all workers that have beaten within silence can do at a time.
func (s Queues) Slots(ctx context.Context, silence time.Duration) (int, error) {
	var n int
	err := s.Q.QueryRow(ctx, `
		select coalesce(sum(slots), 0) from workers where beat_at > now() - make_interval(secs => $1) and not leaving`,
		silence.Seconds()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count slots: %w", err)
	}
	return n, nil
}

// DropSilent forgets workers that have not beaten for silence.
func (s Queues) DropSilent(ctx context.Context, silence time.Duration) error {
	_, err := s.Q.Exec(ctx, `delete from workers where beat_at < now() - make_interval(secs => $1)`, silence.Seconds())
	if err != nil {
		return fmt.Errorf("forget silent workers: %w", err)
	}
	return nil
}

// InHand is a run that a worker has.
type InHand struct {
	Worker       string     `db:"worker"`
	ID           uuid.UUID  `db:"id"`
	WorkflowID   uuid.UUID  `db:"workflow_id"`
	WorkflowName string     `db:"workflow_name"`
	Queue        string     `db:"queue"`
	Attempt      int        `db:"attempt"`
	Steps        []string   `db:"steps"` // those under way
	StartedAt    *time.Time `db:"started_at"`
	BeatAt       *time.Time `db:"beat_at"`
	DeadlineAt   *time.Time `db:"deadline_at"`
	CancelAt     *time.Time `db:"cancel_at"`
	Stuck        *string    `db:"stuck"` // silent, overtime or cancelling; nil: all is well
}

// InHand lists runs of the projects that workers have, those that got stuck first, then the oldest. A run is stuck when its
// worker is silent, or beats and does not get further although the run's time or the patience with a cancellation is over.
func (s Queues) InHand(ctx context.Context, projects []uuid.UUID, silence, patience time.Duration, limit int) ([]InHand, error) {
	rows, err := s.Q.Query(ctx, `
		with hand as (
		    select l.*, s.stuck from run_live l cross join lateral (
		    select case when l.beat_at < now() - make_interval(secs => @silence) then 'silent'
		                     when l.cancel_at < now() - make_interval(secs => @patience) then 'cancelling'
		                     when l.deadline_at < now() then 'overtime' end as stuck) s
		     where l.queue in ('critical', 'default', 'bulk') and l.enqueued_at is not null and l.state = 'running'
		       and l.project_id = any(@projects)
		     order by s.stuck is null, l.started_at limit @limit)
		select h.worker, h.id, h.workflow_id, w.name as workflow_name, h.queue, h.attempt, h.started_at, h.beat_at, h.deadline_at,
		       h.cancel_at, h.stuck,
		       array(select r.step from step_runs r where r.run_id = h.id and r.status = 'running' order by r.started_at) as steps
		  from hand h join workflows w on w.id = h.workflow_id
		 order by h.stuck is null, h.started_at`,
		args{"projects": projects, "silence": silence.Seconds(), "patience": patience.Seconds(), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list runs in hand: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[InHand])
	if err != nil {
		return nil, fmt.Errorf("list runs in hand: %w", err)
	}
	return list, nil
}
