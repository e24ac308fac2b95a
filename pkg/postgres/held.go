package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// LockHeld keeps a run that no worker has as it is until the transaction ends; false when it neither is held nor waits for
// something besides, or is to be cancelled.
func (s Live) LockHeld(ctx context.Context, id uuid.UUID) (bool, error) {
	tag, err := s.Q.Exec(ctx, `select from run_live where id = $1 and state in ('held', 'waiting') and cancel is null for update`, id)
	if err != nil {
		return false, fmt.Errorf("lock a held run: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Unhold gives a held run back to the workers. The time that it was held does not count as its own.
func (s Live) Unhold(ctx context.Context, id uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		update run_live
		   set state = 'queued', due_at = now(), enqueued_at = null, enqueues = 0, reason = null, held_at = null,
		       held_for = held_for + coalesce(extract(epoch from now() - held_at), 0)
		 where id = $1 and state in ('held', 'waiting')`, id)
	if err != nil {
		return fmt.Errorf("let a held run go on: %w", err)
	}
	return nil
}

// Decide writes what a person says of a held attempt; false when it is not held.
func (s Runs) Decide(ctx context.Context, step StepRow) (bool, error) {
	tag, err := s.Q.Exec(ctx, `
		update step_runs set status = $4, class = $5, error = $6, output = $7, finished_at = now()
		 where run_id = $1 and step = $2 and attempt = $3 and status = 'held'`,
		step.RunID, step.Step, step.Attempt, step.Status, step.Class, step.Error, nonZero(string(step.Output)))
	if err != nil {
		return false, fmt.Errorf("decide about a step: %w", translate(err))
	}
	return tag.RowsAffected() == 1, nil
}

// Overrun notes of an open attempt that its time was up, so that whoever takes the run next counts it as that.
func (s Runs) Overrun(ctx context.Context, step StepRow, message string) error {
	_, err := s.Q.Exec(ctx, `update step_runs set class = $4, error = $5 where run_id = $1 and step = $2 and attempt = $3 and status = 'running'`,
		step.RunID, step.Step, step.Attempt, run.FailureTimeout, message)
	if err != nil {
		return fmt.Errorf("note that a step took too long: %w", err)
	}
	return nil
}

// Underway lists the open attempts of runs, without their outputs.
func (s Runs) Underway(ctx context.Context, ids []uuid.UUID) ([]StepRow, error) {
	rows, err := s.Q.Query(ctx, `
		select run_id, step, attempt, status, class, error, started_at, sent_at, finished_at, next_at, null::jsonb as output
		  from step_runs where run_id = any($1) and status = 'running' order by run_id, step, attempt`, ids)
	if err != nil {
		return nil, fmt.Errorf("list open attempts: %w", err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowToStructByName[StepRow])
	if err != nil {
		return nil, fmt.Errorf("list open attempts: %w", err)
	}
	return steps, nil
}

// Say adds lines to the logs of runs that no worker has, after those that are there; their Seq and At are set here. Whoever
// calls it has locked the runs' live rows, in a statement before this one, so that nobody else adds to them.
func (s Runs) Say(ctx context.Context, lines []LogRow) error {
	if len(lines) == 0 {
		return nil
	}
	runs, steps, attempts := make([]uuid.UUID, len(lines)), make([]string, len(lines)), make([]int32, len(lines))
	levels, messages := make([]string, len(lines)), make([]string, len(lines))
	for i, l := range lines {
		runs[i], steps[i], attempts[i] = l.RunID, l.Step, int32(l.Attempt) //nolint:gosec // a count of tries
		levels[i], messages[i] = l.Level, l.Message
	}
	_, err := s.Q.Exec(ctx, `
		insert into run_logs (run_id, seq, at, step, attempt, level, message)
		select u.run_id,
		       coalesce((select max(g.seq) from run_logs g where g.run_id = u.run_id), 0) + row_number() over (partition by u.run_id order by u.n),
		       now(), u.step, u.attempt, u.level, u.message
		  from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[]) with ordinality
		       as u (run_id, step, attempt, level, message, n)`,
		runs, steps, attempts, levels, messages)
	if err != nil {
		return fmt.Errorf("add to the log: %w", translate(err))
	}
	return nil
}
