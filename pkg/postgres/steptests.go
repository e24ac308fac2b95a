package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// StepTests is the store of steps that somebody tries.
type StepTests struct{ Q Querier }

// Bounds of tests.
const (
	MaxOpenTests = 5 // of one person, waiting or running
	// testPatience is how long a test waits for a worker: what somebody tries is not done when they have long gone.
	testPatience = "2 minutes"
	// testLost is how long after its time a running test counts as lost.
	testLost = "30 seconds"
)

// StepTestRow is a test.
type StepTestRow struct {
	ID         uuid.UUID       `db:"id"`
	ProjectID  uuid.UUID       `db:"project_id"`
	WorkflowID *uuid.UUID      `db:"workflow_id"`
	Step       json.RawMessage `db:"step"`
	Status     string          `db:"status"`
	Output     json.RawMessage `db:"output"`
	Error      *string         `db:"error"`
	Class      *string         `db:"class"`
	Logs       json.RawMessage `db:"logs"`
	CreatedBy  *string         `db:"created_by"` // the username
	CreatedAt  time.Time       `db:"created_at"`
	StartedAt  *time.Time      `db:"started_at"`
	FinishedAt *time.Time      `db:"finished_at"`
}

// NewStepTest is a test that is asked for.
type NewStepTest struct {
	ID         uuid.UUID
	ProjectID  uuid.UUID
	WorkflowID *uuid.UUID
	CreatedBy  uuid.UUID
	Step       json.RawMessage
	Inputs     json.RawMessage // nil for none
	Outputs    json.RawMessage // nil for none
	Limit      time.Duration   // of the attempt, in whole seconds
}

// errTestsOpen is what a further test becomes while too many are open.
var errTestsOpen = fault.New(fault.RateLimited, "too_many_tests", "You have %d tests under way; wait for one of them", MaxOpenTests)

// Insert stores a test for a worker to take. It belongs in a transaction: tests of one person queue for each other here,
// so that they are counted.
func (s StepTests) Insert(ctx context.Context, t NewStepTest) error {
	if _, err := s.Q.Exec(ctx, `select 1 from users where id = $1 for update`, t.CreatedBy); err != nil {
		return fmt.Errorf("insert step test: %w", err)
	}
	tag, err := s.Q.Exec(ctx, `
		insert into step_tests (id, project_id, workflow_id, created_by, step, inputs, outputs, seconds)
		select @id, @project, @workflow, @by, @step, @inputs, @outputs, @seconds
		 where (select count(*) from step_tests
		         where created_by = @by and (status = 'queued' and created_at > now() - interval '`+testPatience+`'
		            or status = 'running' and started_at + make_interval(secs => seconds) > now() - interval '`+testLost+`')) < @most`,
		pgx.StrictNamedArgs{
			"id": t.ID, "project": t.ProjectID, "workflow": t.WorkflowID, "by": t.CreatedBy, "step": t.Step,
			"inputs": t.Inputs, "outputs": t.Outputs, "seconds": int(t.Limit.Seconds()), "most": MaxOpenTests,
		})
	if err != nil {
		return fmt.Errorf("insert step test: %w", translate(err))
	}
	if tag.RowsAffected() == 0 {
		return errTestsOpen
	}
	return nil
}

// Get finds a test in one of the projects; ErrNotFound when it is not there. One that nobody will finish any more has
// failed.
func (s StepTests) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (StepTestRow, error) {
	rows, err := s.Q.Query(ctx, `
		select t.id, t.project_id, t.workflow_id, t.step, t.output, t.logs, u.username as created_by, t.created_at, t.started_at, t.finished_at,
		       case when o.why is null then t.status else 'failed' end as status,
		       coalesce(o.why, t.error) as error, coalesce(o.class, t.class) as class
		  from step_tests t
		  left join users u on u.id = t.created_by
		  left join lateral (
		    select 'no worker took it within `+testPatience+`; is one running?' as why, 'no_worker' as class
		     where t.status = 'queued' and t.created_at <= now() - interval '`+testPatience+`'
		    union all
		    select 'the worker was lost during the test; whether the call was made is not known', 'worker_lost'
		     where t.status = 'running' and t.started_at + make_interval(secs => t.seconds) <= now() - interval '`+testLost+`') o on true
		 where t.id = $1 and t.project_id = any($2)`, id, projects)
	if err != nil {
		return StepTestRow{}, fmt.Errorf("get step test: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[StepTestRow])
	if err != nil {
		return StepTestRow{}, fmt.Errorf("get step test: %w", translate(err))
	}
	return row, nil
}

// ClaimedTest is a test that a worker has taken.
type ClaimedTest struct {
	ID         uuid.UUID       `db:"id"`
	ProjectID  uuid.UUID       `db:"project_id"`
	WorkflowID *uuid.UUID      `db:"workflow_id"`
	Step       json.RawMessage `db:"step"`
	Inputs     json.RawMessage `db:"inputs"`
	Outputs    json.RawMessage `db:"outputs"`
	Seconds    int             `db:"seconds"`
	StartedAt  time.Time       `db:"started_at"`
}

// Claim takes up to limit tests, the oldest first. Each is taken once, ever: what it calls must not be called twice.
func (s StepTests) Claim(ctx context.Context, worker string, limit int) ([]ClaimedTest, error) {
	rows, err := s.Q.Query(ctx, `
		update step_tests set status = 'running', worker = $1, started_at = now()
		 where id in (select id from step_tests where status = 'queued' and created_at > now() - interval '`+testPatience+`'
		               order by created_at limit $2 for update skip locked)
		returning id, project_id, workflow_id, step, inputs, outputs, seconds, started_at`, worker, limit)
	if err != nil {
		return nil, fmt.Errorf("claim step tests: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[ClaimedTest])
	if err != nil {
		return nil, fmt.Errorf("claim step tests: %w", err)
	}
	return list, nil
}

// TestResult is how a test went.
type TestResult struct {
	Status string
	Output json.RawMessage
	Error  *string
	Class  *string
	Logs   json.RawMessage
}

// Finish stores how a test went that the worker had taken.
func (s StepTests) Finish(ctx context.Context, id uuid.UUID, worker string, r TestResult) error {
	_, err := s.Q.Exec(ctx, `
		update step_tests set status = @status, output = @output, error = @error, class = @class, logs = @logs, finished_at = now()
		 where id = @id and worker = @worker and status = 'running'`,
		pgx.StrictNamedArgs{
			"id": id, "worker": worker, "status": r.Status, "output": r.Output, "error": r.Error, "class": r.Class, "logs": r.Logs,
		})
	if err != nil {
		return fmt.Errorf("finish step test: %w", translate(err))
	}
	return nil
}

// DropOld removes tests that are older than 30 days.
func (s StepTests) DropOld(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from step_tests where created_at < now() - interval '30 days'`)
	if err != nil {
		return 0, fmt.Errorf("drop old step tests: %w", err)
	}
	return tag.RowsAffected(), nil
}
