package dispatch

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Cancel ends a run: at once when no worker has it, within seconds otherwise. A run that has finished is a conflict.
func (s *Service) Cancel(ctx context.Context, who account.Principal, id uuid.UUID) (postgres.RunRow, error) {
	projects := who.Where(account.RunCancel)
	row, err := postgres.Runs{Q: s.db}.Get(ctx, projects, id)
	if err != nil {
		return postgres.RunRow{}, err
	}
	if row.Status.Finished() {
		return postgres.RunRow{}, fault.New(fault.Conflict, "run_finished", "The run has finished already: %s", row.Status)
	}
	note := func(q postgres.Querier) error {
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.RunCancel, Project: row.ProjectID, Object: audit.Of(id, row.WorkflowName), Before: audit.Data{"status": row.Status},
		})
	}
	if err := s.cancelRuns(ctx, []uuid.UUID{id}, "cancelled by "+who.User.Username, note); err != nil {
		return postgres.RunRow{}, err
	}
	s.queue.Announce(ctx, []run.Change{{RunID: row.ID, WorkflowID: row.WorkflowID, ProjectID: row.ProjectID}})
	return postgres.Runs{Q: s.db}.Get(ctx, projects, id)
}

// CancelRuns asks for the end of runs, and ends those that no worker has.
func (s *Service) CancelRuns(ctx context.Context, ids []uuid.UUID, reason string) error {
	return s.cancelRuns(ctx, ids, reason, func(postgres.Querier) error { return nil })
}

// cancelRuns is CancelRuns with something else in its transaction.
func (s *Service) cancelRuns(ctx context.Context, ids []uuid.UUID, reason string, also func(postgres.Querier) error) error {
	if len(ids) == 0 {
		return nil
	}
	var tickets []run.Ticket
	var ended []uuid.UUID
	err := s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		live := postgres.Live{Q: q}
		if tickets, err = live.AskCancel(ctx, ids, reason); err != nil {
			return err
		}
		if ended, err = live.End(ctx, ids, run.Cancelled, reason); err != nil {
			return err
		}
		return also(q)
	})
	if err != nil {
		return err
	}
	s.afterCancel(ctx, tickets, ended)
	return nil
}

// afterCancel tells the queue about runs that are to end: those that ended are forgotten, the others' workers are told.
func (s *Service) afterCancel(ctx context.Context, tickets []run.Ticket, ended []uuid.UUID) {
	over := make(map[uuid.UUID]bool, len(ended))
	for _, id := range ended {
		over[id] = true
	}
	var worthless []run.Ticket
	var running []uuid.UUID
	for _, t := range tickets {
		if over[t.ID] {
			worthless = append(worthless, t)
		} else {
			running = append(running, t.ID)
		}
	}
	s.queue.Cancel(ctx, running)
	s.queue.Forget(ctx, worthless)
}
