package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Approvals is the store of what steps ask people.
type Approvals struct{ Q Querier }

// What becomes of a question.
const (
	ApprovalPending  = "pending"
	ApprovalApproved = "approved"
	ApprovalRejected = "rejected"
	ApprovalExpired  = "expired"
	// ApprovalWithdrawn is how a question is read whose run ended before anybody answered.
	ApprovalWithdrawn = "withdrawn"
)

// ApprovalRow is a question.
type ApprovalRow struct {
	ID           uuid.UUID  `db:"id"`
	ProjectID    uuid.UUID  `db:"project_id"`
	WorkflowID   uuid.UUID  `db:"workflow_id"`
	WorkflowName string     `db:"workflow_name"`
	RunID        uuid.UUID  `db:"run_id"`
	Step         string     `db:"step"`
	Message      string     `db:"message"`
	State        string     `db:"state"`
	ExpiresAt    *time.Time `db:"expires_at"`
	DecidedAt    *time.Time `db:"decided_at"`
	DecidedBy    *string    `db:"decided_by"`
	Note         *string    `db:"note"`
	CreatedAt    time.Time  `db:"created_at"`
}

const approvalColumns = `a.id, a.project_id, a.workflow_id, (select w.name from workflows w where w.id = a.workflow_id) as workflow_name,
	a.run_id, a.step, a.message, case
		when a.state <> 'pending' then a.state
		when a.expires_at <= now() then 'expired'
		when not exists (select from run_live l where l.id = a.run_id) then 'withdrawn'
		else 'pending' end as state, a.expires_at, a.decided_at, a.decided_by, a.note, a.created_at`

// Ask stores a question unless the same step and try asked before, and answers how it stands. for is how long an answer is
// waited for, from now on; zero for as long as it takes. A question whose time is up has expired.
func (s Approvals) Ask(ctx context.Context, key ChildKey, id uuid.UUID, message string, wait time.Duration) (ApprovalRow, error) {
	_, err := s.Q.Exec(ctx, `
		insert into approvals (id, project_id, workflow_id, run_id, step, attempt, message, expires_at)
		select $1, r.project_id, r.workflow_id, r.id, $3, $4, $5, now() + nullif($6::interval, interval '0') from runs r where r.id = $2
		    on conflict (run_id, step, attempt) do nothing`, id, key.ParentID, key.Step, key.Try, message, wait)
	if err != nil {
		return ApprovalRow{}, fmt.Errorf("ask for approval: %w", translate(err))
	}
	_, err = s.Q.Exec(ctx, `
		update approvals set state = 'expired', decided_at = now()
		 where run_id = $1 and step = $2 and attempt = $3 and state = 'pending' and expires_at <= now()`, key.ParentID, key.Step, key.Try)
	if err != nil {
		return ApprovalRow{}, fmt.Errorf("let an approval expire: %w", err)
	}
	return s.one(ctx, "find an approval", `a.run_id = $1 and a.step = $2 and a.attempt = $3`, key.ParentID, key.Step, key.Try)
}

// Get finds a question in one of the projects; ErrNotFound when it is not there.
func (s Approvals) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (ApprovalRow, error) {
	return s.one(ctx, "get an approval", `a.id = $1 and a.project_id = any($2)`, id, projects)
}

// Newest finds the newest question of a run's step; ErrNotFound when it has not asked.
func (s Approvals) Newest(ctx context.Context, run uuid.UUID, step string) (ApprovalRow, error) {
	return s.one(ctx, "find a step's approval", `a.run_id = $1 and a.step = $2 order by a.attempt desc limit 1`, run, step)
}

// Find finds a question whoever's it is; ErrNotFound when it is not there.
func (s Approvals) Find(ctx context.Context, id uuid.UUID) (ApprovalRow, error) {
	return s.one(ctx, "find an approval", `a.id = $1`, id)
}

func (s Approvals) one(ctx context.Context, what, where string, args ...any) (ApprovalRow, error) {
	rows, err := s.Q.Query(ctx, `select `+approvalColumns+` from approvals a where `+where, args...)
	if err != nil {
		return ApprovalRow{}, fmt.Errorf("%s: %w", what, err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ApprovalRow])
	if err != nil {
		return ApprovalRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	return row, nil
}

// Decide answers a question; false when that is too late: somebody did, its time is up, or its run has ended.
func (s Approvals) Decide(ctx context.Context, id uuid.UUID, state, by, note string) (bool, error) {
	tag, err := s.Q.Exec(ctx, `
		update approvals a set state = $2, decided_by = $3, note = $4, decided_at = now()
		 where a.id = $1 and a.state = 'pending' and (a.expires_at is null or a.expires_at > now())
		   and exists (select from run_live l where l.id = a.run_id and l.cancel is null)`, id, state, by, nonZero(note))
	if err != nil {
		return false, fmt.Errorf("decide about an approval: %w", translate(err))
	}
	return tag.RowsAffected() == 1, nil
}

// ApprovalFilter narrows a list of questions; zero values do not.
type ApprovalFilter struct {
	Projects []uuid.UUID
	Pending  bool // only those that wait for an answer
	RunID    *uuid.UUID
	Before   *uuid.UUID // keyset: only older ones
	Limit    int
}

// List lists questions, newest first.
func (s Approvals) List(ctx context.Context, f ApprovalFilter) ([]ApprovalRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+approvalColumns+` from approvals a
		 where a.project_id = any(@projects) and (@run::uuid is null or a.run_id = @run) and (@before::uuid is null or a.id < @before)
		   and (not @pending or a.state = 'pending' and (a.expires_at is null or a.expires_at > now())
		                        and exists (select from run_live l where l.id = a.run_id and l.cancel is null))
		 order by a.id desc limit @limit`,
		args{"projects": f.Projects, "run": f.RunID, "before": f.Before, "pending": f.Pending, "limit": f.Limit})
	if err != nil {
		return nil, fmt.Errorf("list approvals: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[ApprovalRow])
	if err != nil {
		return nil, fmt.Errorf("list approvals: %w", err)
	}
	return list, nil
}
