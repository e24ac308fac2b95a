package dispatch

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Verdict is a person's answer to what a step asks.
type Verdict struct {
	Approved bool
	Note     string // why; may be empty
}

// Decide answers a question, and lets its run go on. Errors: not found, a question that is not open any more.
func (s *Service) Decide(ctx context.Context, who account.Principal, id uuid.UUID, v Verdict) (postgres.ApprovalRow, error) {
	row, err := postgres.Approvals{Q: s.db}.Get(ctx, who.Where(account.RunStart), id)
	if err != nil {
		return postgres.ApprovalRow{}, err
	}
	return s.decide(ctx, row, who.User.Username, v)
}

func (s *Service) decide(ctx context.Context, row postgres.ApprovalRow, by string, v Verdict) (postgres.ApprovalRow, error) {
	state := postgres.ApprovalRejected
	if v.Approved {
		state = postgres.ApprovalApproved
	}
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		decided, err := postgres.Approvals{Q: q}.Decide(ctx, row.ID, state, by, strings.TrimSpace(v.Note))
		if err != nil {
			return err
		}
		if !decided {
			return tooLate(ctx, q, row.ID)
		}
		if err := (postgres.Live{Q: q}).Nudge(ctx, []uuid.UUID{row.RunID}); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.ApprovalDecide, Project: row.ProjectID, Object: audit.Of(row.ID, row.WorkflowName+" / "+row.Step),
			After: audit.Data{"decision": state, "note": strings.TrimSpace(v.Note), "run_id": row.RunID},
		})
	})
	if err != nil {
		return postgres.ApprovalRow{}, err
	}
	s.queue.Announce(ctx, []run.Change{{RunID: row.RunID, WorkflowID: row.WorkflowID, ProjectID: row.ProjectID}})
	return postgres.Approvals{Q: s.db}.Find(ctx, row.ID)
}

// tooLate says why a question cannot be answered any more.
func tooLate(ctx context.Context, q postgres.Querier, id uuid.UUID) error {
	row, err := postgres.Approvals{Q: q}.Find(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case row.State == postgres.ApprovalApproved && row.DecidedBy != nil:
		return fault.New(fault.Conflict, "decided", "%s has approved it already", *row.DecidedBy)
	case row.State == postgres.ApprovalRejected && row.DecidedBy != nil:
		return fault.New(fault.Conflict, "decided", "%s has rejected it already", *row.DecidedBy)
	case row.State == postgres.ApprovalExpired:
		return fault.New(fault.Conflict, "expired", "The time for an answer is up")
	}
	return fault.New(fault.Conflict, "run_finished", "The run that asks has ended")
}
