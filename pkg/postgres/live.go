package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Live is the store of runs that have not finished (run_live). It is the truth about who has a run: a worker that holds
// the pair (worker, attempt) may write about it, anybody else's words are dropped. Statements that wait for many of its
// rows lock them in the order of their ids, so that no two can wait for each other.
type Live struct {
	Q Querier
	// Concurrent is how many runs of a project may be in workers' hands, where nothing was decided about it; 0: any number.
	Concurrent int
}

// Claimed is a run that a worker has just taken.
type Claimed struct {
	ID         uuid.UUID       `db:"id"`
	Attempt    int             `db:"attempt"` // 1 for the first worker that took it
	Queue      string          `db:"queue"`
	ProjectID  uuid.UUID       `db:"project_id"`
	WorkflowID uuid.UUID       `db:"workflow_id"`
	Version    int             `db:"version"`
	Trigger    run.Trigger     `db:"trigger"`
	TriggerID  *uuid.UUID      `db:"trigger_id"`
	FireAt     *time.Time      `db:"fire_at"`
	RerunOf    *uuid.UUID      `db:"rerun_of"`
	Inputs     json.RawMessage `db:"inputs"`
	CreatedAt  time.Time       `db:"created_at"`
	StartedAt  time.Time       `db:"started_at"` // of the first attempt
	ClaimedAt  time.Time       `db:"claimed_at"` // now, by the database's clock
	HeldFor    float64         `db:"held_for"`   // seconds that persons took to decide; they do not count as its time
	Depth      int             `db:"depth"`      // how many runs are above it
}

// Claim takes the runs of the tickets for a worker: those that are due and whose attempt is still the ticket's. A run
// that is missing from the answer belongs to somebody else, or to nobody any more.
func (s Live) Claim(ctx context.Context, worker string, tickets []run.Ticket) ([]Claimed, error) {
	ids, attempts := splitTickets(tickets)
	rows, err := s.Q.Query(ctx, `
		update run_live l
		   set state = 'running', attempt = l.attempt + 1, worker = @worker, beat_at = now(),
		       deadline_at = null, started_at = coalesce(l.started_at, now()), enqueued_at = coalesce(l.enqueued_at, now())
		  from unnest(@ids::uuid[], @attempts::int[]) u (id, attempt)
		  join runs r on r.id = u.id
		 where l.id = u.id and l.attempt = u.attempt and l.state in ('queued', 'waiting')
		   and l.cancel is null and l.due_at + interval '0' <= now() -- not by the index on due_at: by the key
		returning l.id, l.attempt, l.queue, l.project_id, l.workflow_id, r.version, r.trigger, l.trigger_id, r.fire_at,
		          r.rerun_of, r.inputs, r.created_at, l.started_at, l.beat_at as claimed_at, l.held_for, l.depth`,
		args{"worker": worker, "ids": ids, "attempts": attempts})
	if err != nil {
		return nil, fmt.Errorf("claim runs: %w", err)
	}
	claimed, err := pgx.CollectRows(rows, pgx.RowToStructByName[Claimed])
	if err != nil {
		return nil, fmt.Errorf("claim runs: %w", err)
	}
	return claimed, nil
}

// splitTickets makes columns of tickets, in the order of the ids.
func splitTickets(tickets []run.Ticket) (ids []uuid.UUID, attempts []int32) {
	sorted := slices.SortedFunc(slices.Values(tickets), func(a, b run.Ticket) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, t := range sorted {
		ids = append(ids, t.ID)
		attempts = append(attempts, int32(t.Attempt)) //nolint:gosec // a count of tries
	}
	return ids, attempts
}

// Alive is a run that a worker says it has.
type Alive struct {
	ID       uuid.UUID
	Deadline *time.Time // of the run, or of the attempt of its that has the least time left; nil when that is not known
}

// Pulse is what a worker learns of a run that it has.
type Pulse struct {
	Cancel *string // why it is to end; nil when it is not
	Nudged bool    // something happened that it may wait for; so it stays until the worker lets go of the run
}

// Beat tells that the worker still has the runs, and until when they should have got further. It answers those that it
// really has; a run that is missing was taken away.
func (s Live) Beat(ctx context.Context, worker string, alive []Alive) (map[uuid.UUID]Pulse, error) {
	ids, deadlines := make([]uuid.UUID, len(alive)), make([]*time.Time, len(alive))
	for i, a := range alive {
		ids[i], deadlines[i] = a.ID, a.Deadline
	}
	rows, err := s.Q.Query(ctx, `
		with mine as materialized (
		    select l.id, u.deadline from unnest(@ids::uuid[], @deadlines::timestamptz[]) u (id, deadline)
		      join run_live l on l.id = u.id
		     where l.worker = @worker and l.state = 'running' order by l.id for update of l)
		update run_live l set beat_at = now(), deadline_at = mine.deadline from mine where l.id = mine.id
		returning l.id, l.cancel, l.nudged`,
		args{"ids": ids, "deadlines": deadlines, "worker": worker})
	if err != nil {
		return nil, fmt.Errorf("beat: %w", err)
	}
	held := make(map[uuid.UUID]Pulse, len(ids))
	var id uuid.UUID
	var pulse Pulse
	_, err = pgx.ForEachRow(rows, []any{&id, &pulse.Cancel, &pulse.Nudged}, func() error {
		held[id] = pulse
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("beat: %w", err)
	}
	return held, nil
}

// Lost is a run whose worker stopped beating.
type Lost struct {
	run.Ticket
	ProjectID  uuid.UUID `db:"project_id"`
	WorkflowID uuid.UUID `db:"workflow_id"`
	Worker     string    `db:"worker"`
	BeatAt     time.Time `db:"beat_at"` // its last sign of life
	Crashes    int       `db:"crashes"` // how many workers the run has lost since it got any further
}

// countCrash counts a worker that the run l has lost. The count begins anew when the run has got further since the one before:
// a long run on machines that come and go does not kill them.
const countCrash = `
	crashes = case when p.progress > l.crash_progress then 1 else l.crashes + 1 end, crash_progress = p.progress`

// progressOf is how far a run has come: attempts of its steps that ended, but by the loss of their worker, and runs that its
// steps started and that ended.
const progressOf = `
	(select count(*) from step_runs s where s.run_id = lost.id and s.finished_at is not null and s.class is distinct from 'worker_lost') +
	(select count(*) from child_runs c where c.parent_id = lost.id and not exists (select from run_live x where x.id = c.run_id))`

// TakeLost gives back the runs of workers that have not beaten for silence, and answers them.
func (s Live) TakeLost(ctx context.Context, silence time.Duration, limit int) ([]Lost, error) {
	rows, err := s.Q.Query(ctx, `
		with lost as (
		    select id, worker, beat_at from run_live
		     where queue in ('critical', 'default', 'bulk') and enqueued_at is not null and state = 'running' and beat_at < now() - make_interval(secs => @silence)
		     limit @limit
		       for update skip locked)
		update run_live l
		   set state = 'queued', worker = null, beat_at = null, due_at = now(), enqueued_at = null, enqueues = 0, `+countCrash+`
		  from lost cross join lateral (select `+progressOf+` as progress) p where l.id = lost.id
		returning l.id, l.attempt, l.queue, l.project_id, l.workflow_id, lost.worker, lost.beat_at, l.crashes`,
		args{"silence": silence.Seconds(), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("take lost runs: %w", err)
	}
	lost, err := pgx.CollectRows(rows, pgx.RowToStructByName[Lost])
	if err != nil {
		return nil, fmt.Errorf("take lost runs: %w", err)
	}
	return lost, nil
}

// End finishes runs that no worker has, whatever they were waiting for. It answers those it ended. The reason of a
// cancellation that was asked for before stands.
func (s Live) End(ctx context.Context, ids []uuid.UUID, status run.Status, reason string) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `
		with gone as (
		    delete from run_live where id = any(@ids) and state <> 'running' returning id, project_id, parent_id, started_at, attempt, cancel),
		badly as (
		    insert into unsuccessful_runs (project_id, id, status) select project_id, id, @status from gone
		     where @status::text <> 'succeeded' on conflict do nothing),
		steps as (
		    update step_runs s set status = @step_status, finished_at = now(), next_at = null, error = coalesce(s.error, @reason)
		      from gone where s.run_id = gone.id and s.status in ('running', 'waiting', 'held')),
		ended as (
		    update runs r
		       set status = @status, reason = case @status::text when 'cancelled' then coalesce(gone.cancel, @reason) else @reason end,
		           started_at = gone.started_at, finished_at = now(), attempts = gone.attempt
		      from gone where r.id = gone.id
		 returning gone.parent_id, `+endedColumns+`),
		counted as (`+countEnded+`),
		followed as (`+followEnded+`),
		news as (`+newsOfFailed+`)
		select id, parent_id from ended`,
		args{"ids": ids, "status": status, "step_status": status, "reason": reason})
	if err != nil {
		return nil, fmt.Errorf("end runs: %w", err)
	}
	var ended, parents []uuid.UUID
	var w Written
	_, err = pgx.ForEachRow(rows, []any{&w.ID, &w.Parent}, func() error {
		ended = append(ended, w.ID)
		if w.Parent != nil {
			parents = append(parents, *w.Parent)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("end runs: %w", err)
	}
	if len(parents) > 0 {
		return ended, s.Nudge(ctx, parents)
	}
	return ended, nil
}

// ListCancelled lists runs that are to be cancelled and that no worker has.
func (s Live) ListCancelled(ctx context.Context, limit int) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `select id from run_live where cancel is not null and state <> 'running' limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("find cancelled runs: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find cancelled runs: %w", err)
	}
	return ids, nil
}

// AskCancel notes that the runs are to be cancelled, and why. It answers those that were live, with their tickets.
func (s Live) AskCancel(ctx context.Context, ids []uuid.UUID, reason string) ([]run.Ticket, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.Q.Query(ctx, `
		with asked as materialized (select id from run_live where id = any($1) order by id for update)
		update run_live l set cancel = coalesce(l.cancel, $2), cancel_at = coalesce(l.cancel_at, now()) from asked where l.id = asked.id
		returning l.id, l.attempt, l.queue`, ids, reason)
	if err != nil {
		return nil, fmt.Errorf("ask for cancellation: %w", err)
	}
	return collectTickets(rows, "ask for cancellation")
}

// OfWorkflow lists the unfinished runs of a workflow.
func (s Live) OfWorkflow(ctx context.Context, workflow uuid.UUID) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `select id from run_live where workflow_id = $1`, workflow)
	if err != nil {
		return nil, fmt.Errorf("list live runs: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list live runs: %w", err)
	}
	return ids, nil
}
