package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// approvalLinks are the addresses at which people may answer what the steps of a run ask, by step. Without the address of
// the installation they begin with a slash.
func (w *Worker) approvalLinks(steps []workflow.Step, run uuid.UUID) map[string]any {
	links := map[string]any{}
	for _, step := range steps {
		if step.Action == workflow.ActionApproval && w.cfg.Secrets != nil {
			links[step.ID] = w.cfg.PublicURL + dispatch.ApprovalPath + dispatch.ApprovalToken(w.cfg.Secrets, run, step.ID)
		}
	}
	return links
}

// approvals is how steps ask people.
type approvals struct{ db *postgres.DB }

// Ask implements action.Approvals.
func (a approvals) Ask(ctx context.Context, call action.Call, message string, wait time.Duration) (action.Approval, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return action.Approval{}, fmt.Errorf("make an id: %w", err)
	}
	row, err := postgres.Approvals{Q: a.db}.Ask(ctx, keyOf(call), id, clip(message), wait)
	if err != nil {
		return action.Approval{}, err
	}
	answer := action.Approval{ID: row.ID, Message: row.Message, Decision: row.State, By: deref(row.DecidedBy), Note: deref(row.Note)}
	if row.ExpiresAt != nil {
		answer.ExpiresAt = *row.ExpiresAt
	}
	if row.DecidedAt != nil {
		answer.At = *row.DecidedAt
	}
	return answer, nil
}
