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

// Outcome says what a Record means for its run.
type Outcome string

// What a worker may say of a run that it has.
const (
	Continue Outcome = "continue" // it goes on here
	Release  Outcome = "release"  // it goes on later, on any worker
	Hold     Outcome = "hold"     // it goes on when a person has decided
	Finish   Outcome = "finish"   // it has ended
)

// Record is what a worker has to say about a run that it holds: steps that began or ended, log lines, and what becomes of
// the run. It is written as a whole or not at all.
type Record struct {
	RunID   uuid.UUID
	Attempt int
	Steps   []StepRow
	Logs    []LogRow
	Outcome Outcome
	Delay   time.Duration   // Release, and Hold with Waits: until the run is due again, by the database's clock
	Waits   bool            // Release, Hold: it waits for an instant, rather than for a worker, or besides a person
	Status  run.Status      // Finish
	Reason  string          // Release, Hold, Finish: why, for people; may be empty
	Output  json.RawMessage // Finish: what the run leaves; may be empty
}

// StepRow is one attempt of a step.
type StepRow struct {
	RunID      uuid.UUID       `db:"run_id"`
	Step       string          `db:"step"`
	Attempt    int             `db:"attempt"` // 0: the step never began
	Status     run.Status      `db:"status"`
	Class      *string         `db:"class"`
	Error      *string         `db:"error"`
	StartedAt  *time.Time      `db:"started_at"`
	SentAt     *time.Time      `db:"sent_at"` // from then on it may have happened; nil for what does not leave
	FinishedAt *time.Time      `db:"finished_at"`
	NextAt     *time.Time      `db:"next_at"`
	Output     json.RawMessage `db:"output"`
}

// LogRow is one line of a run's log.
type LogRow struct {
	RunID   uuid.UUID `db:"run_id"`
	Seq     int       `db:"seq"`
	At      time.Time `db:"at"`
	Step    string    `db:"step"`
	Attempt int       `db:"attempt"`
	Level   string    `db:"level"`
	Message string    `db:"message"`
}

// Written is a run that was written. Parent is the run that waits for it, once it has ended; nil for none.
type Written struct {
	ID     uuid.UUID
	Parent *uuid.UUID
}

// Write writes the records of one worker in one statement. It answers the runs that were written; a run that is missing
// is no longer the worker's, and nothing about it was changed.
func (s Live) Write(ctx context.Context, worker string, records []Record) (map[uuid.UUID]Written, error) {
	// "(… in …) is true" stays a look into a hash table. As a join it would compare each step with each run: the planner takes
	// the arrays for ten elements, whatever they are.
	rows, err := s.Q.Query(ctx, `
		with u as materialized (
		    select * from unnest(@ids::uuid[], @attempts::int[], @outcomes::text[], @delays::float8[], @waits::bool[],
		                         @statuses::text[], @reasons::text[], @outputs::jsonb[])
		                  as u (id, attempt, outcome, delay, waits, status, reason, output)),
		fence as materialized (
		    select l.id, l.project_id, l.parent_id, l.attempt, l.started_at, u.outcome, u.delay, u.waits, u.status, u.reason, u.output
		      from u join run_live l on l.id = u.id
		     where l.attempt = u.attempt and l.worker = @worker and l.state = 'running'
		     order by l.id
		       for update of l),
		steps as (
		    insert into step_runs (run_id, step, attempt, status, class, error, started_at, sent_at, finished_at, next_at, output)
		    select s.* from unnest(@s_run::uuid[], @s_step::text[], @s_attempt::int[], @s_status::text[], @s_class::text[],
		                           @s_error::text[], @s_started::timestamptz[], @s_sent::timestamptz[],
		                           @s_finished::timestamptz[], @s_next::timestamptz[], @s_output::jsonb[])
		                    as s (run_id, step, attempt, status, class, error, started_at, sent_at, finished_at, next_at, output)
		     where (s.run_id in (select id from fence)) is true
		        on conflict (run_id, step, attempt) do update
		       set status = excluded.status, class = excluded.class, error = excluded.error,
		           started_at = excluded.started_at, sent_at = excluded.sent_at, finished_at = excluded.finished_at,
		           next_at = excluded.next_at, output = excluded.output),
		logs as (
		    insert into run_logs (run_id, seq, at, step, attempt, level, message)
		    select g.* from unnest(@g_run::uuid[], @g_seq::int[], @g_at::timestamptz[], @g_step::text[], @g_attempt::int[],
		                           @g_level::text[], @g_message::text[])
		                    as g (run_id, seq, at, step, attempt, level, message)
		     where (g.run_id in (select id from fence)) is true
		        on conflict do nothing),
		released as (
		    update run_live l
		       set state = case when l.nudged then 'queued' when f.outcome = 'hold' then 'held' when f.waits then 'waiting' else 'queued' end,
		           worker = null, beat_at = null, enqueued_at = null, enqueues = 0, reason = f.reason, nudged = false,
		           held_at = case when f.outcome = 'hold' and not l.nudged then now() end,
		           due_at = case when l.nudged then now() when f.outcome = 'hold' and not f.waits then 'infinity'
		                         else now() + make_interval(secs => f.delay) end
		      from fence f where l.id = f.id and f.outcome in ('release', 'hold')),
		gone as (
		    delete from run_live l using fence f where l.id = f.id and f.outcome = 'finish'),
		ended as (
		    update runs r
		       set status = f.status, reason = f.reason, output = f.output, attempts = f.attempt, started_at = f.started_at,
		           finished_at = now()
		      from fence f where r.id = f.id and f.outcome = 'finish'
		 returning `+endedColumns+`),
		counted as (`+countEnded+`),
		followed as (`+followEnded+`),
		news as (`+newsOfFailed+`),
		badly as (
		    insert into unsuccessful_runs (project_id, id, status)
		    select f.project_id, f.id, f.status from fence f where f.outcome = 'finish' and f.status <> 'succeeded'
		        on conflict do nothing)
		select id, case outcome when 'finish' then parent_id end from fence`, recordArgs(worker, records))
	if err != nil {
		return nil, fmt.Errorf("write records: %w", translate(err))
	}
	written := make(map[uuid.UUID]Written, len(records))
	var w Written
	if _, err := pgx.ForEachRow(rows, []any{&w.ID, &w.Parent}, func() error { written[w.ID] = w; return nil }); err != nil {
		return nil, fmt.Errorf("write records: %w", translate(err))
	}
	return written, nil
}

// recordArgs turns records into the columns that the statement unnests, in the order of the runs: so their rows fill pages of
// tables and indexes from one end.
func recordArgs(worker string, records []Record) args {
	var (
		ids                     []uuid.UUID
		attempts                []int32
		outcomes, statuses      []string
		delays                  []float64
		waits                   []bool
		reasons, outputs        []*string
		sRun                    []uuid.UUID
		sStep, sStatus          []string
		sAttempt                []int32
		sClass, sError, sOutput []*string
		sStarted, sSent         []*time.Time
		sFinished, sNext        []*time.Time
		gRun                    []uuid.UUID
		gSeq, gAttempt          []int32
		gAt                     []time.Time
		gStep, gLevel, gMessage []string
	)
	ordered := slices.SortedFunc(slices.Values(records), func(a, b Record) int { return bytes.Compare(a.RunID[:], b.RunID[:]) })
	for _, r := range ordered {
		ids = append(ids, r.RunID)
		attempts = append(attempts, int32(r.Attempt)) //nolint:gosec // a count of tries
		outcomes = append(outcomes, string(r.Outcome))
		statuses = append(statuses, string(r.Status))
		delays = append(delays, r.Delay.Seconds())
		waits = append(waits, r.Waits)
		reasons = append(reasons, nonZero(r.Reason))
		outputs = append(outputs, nonZero(string(r.Output)))
		for _, s := range r.Steps {
			sRun = append(sRun, r.RunID)
			sStep = append(sStep, s.Step)
			sAttempt = append(sAttempt, int32(s.Attempt)) //nolint:gosec // a count of tries
			sStatus = append(sStatus, string(s.Status))
			sClass = append(sClass, s.Class)
			sError = append(sError, s.Error)
			sStarted = append(sStarted, s.StartedAt)
			sSent = append(sSent, s.SentAt)
			sFinished = append(sFinished, s.FinishedAt)
			sNext = append(sNext, s.NextAt)
			sOutput = append(sOutput, nonZero(string(s.Output)))
		}
		for _, g := range r.Logs {
			gRun = append(gRun, r.RunID)
			gSeq = append(gSeq, int32(g.Seq))             //nolint:gosec // capped by the worker
			gAttempt = append(gAttempt, int32(g.Attempt)) //nolint:gosec // a count of tries
			gAt = append(gAt, g.At)
			gStep = append(gStep, g.Step)
			gLevel = append(gLevel, g.Level)
			gMessage = append(gMessage, g.Message)
		}
	}
	return args{
		"worker": worker, "ids": ids, "attempts": attempts, "outcomes": outcomes, "delays": delays, "waits": waits,
		"statuses": statuses, "reasons": reasons, "outputs": outputs,
		"s_run": sRun, "s_step": sStep, "s_attempt": sAttempt, "s_status": sStatus, "s_class": sClass, "s_error": sError,
		"s_started": sStarted, "s_sent": sSent, "s_finished": sFinished, "s_next": sNext, "s_output": sOutput,
		"g_run": gRun, "g_seq": gSeq, "g_at": gAt, "g_step": gStep, "g_attempt": gAttempt, "g_level": gLevel, "g_message": gMessage,
	}
}
