package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Create stores a new workflow and plans its triggers. Errors: an invalid definition, a project that is not the
// caller's to write.
func (s *Service) Create(ctx context.Context, who account.Principal, project uuid.UUID, def workflow.Definition, enabled bool) (postgres.WorkflowRow, error) {
	if err := s.Check(def); err != nil {
		return postgres.WorkflowRow{}, err
	}
	if err := who.May(account.WorkflowWrite, project); err != nil {
		return postgres.WorkflowRow{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return postgres.WorkflowRow{}, fmt.Errorf("make a workflow id: %w", err)
	}
	row := postgres.WorkflowRow{ID: id, ProjectID: project, Enabled: enabled, Version: 1, Definition: def}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Projects{Q: q}).Hold(ctx, project); err != nil {
			return err
		}
		if err := s.roomForWorkflow(ctx, q, project); err != nil {
			return err
		}
		if err := s.checkCallees(ctx, q, project, def); err != nil {
			return err
		}
		if err := (postgres.Workflows{Q: q}).Insert(ctx, row, who.User.ID); err != nil {
			return err
		}
		if err := keepUses(ctx, q, row); err != nil {
			return err
		}
		if err := s.plan(ctx, q, row, who.User.Username); err != nil {
			return err
		}
		if err := noteWorkflow(ctx, q, audit.WorkflowCreate, nil, &row); err != nil {
			return err
		}
		row, err = postgres.Workflows{Q: q}.Get(ctx, []uuid.UUID{project}, id)
		return err
	})
	return row, err
}

// Replace saves a definition as a new version; one that changes nothing makes none. enabled nil leaves that as it is.
// revision 0 saves whatever stands there; another is refused (Precondition) when somebody saved in between.
func (s *Service) Replace(ctx context.Context, who account.Principal, id uuid.UUID, def workflow.Definition, enabled *bool, revision int) (postgres.WorkflowRow, error) {
	if err := s.Check(def); err != nil {
		return postgres.WorkflowRow{}, err
	}
	return s.change(ctx, audit.WorkflowUpdate, who, id, revision, func(q postgres.Querier, row *postgres.WorkflowRow) error {
		return s.save(ctx, q, row, who, def, enabled)
	})
}

// save makes def the version of row that runs, unless it is that already.
func (s *Service) save(ctx context.Context, q postgres.Querier, row *postgres.WorkflowRow, who account.Principal, def workflow.Definition, enabled *bool) error {
	if enabled != nil {
		row.Enabled = *enabled
	}
	same, err := sameJSON(row.Definition, def)
	if err != nil || same {
		return err
	}
	if err := s.checkCallees(ctx, q, row.ProjectID, def); err != nil {
		return err
	}
	row.Version++
	row.Definition = def
	if err := keepUses(ctx, q, *row); err != nil {
		return err
	}
	return postgres.Workflows{Q: q}.InsertVersion(ctx, *row, who.User.ID)
}

// SetEnabled lets a workflow's triggers fire, or keeps them from it.
func (s *Service) SetEnabled(ctx context.Context, who account.Principal, id uuid.UUID, enabled bool) (postgres.WorkflowRow, error) {
	action := audit.WorkflowDisable
	if enabled {
		action = audit.WorkflowEnable
	}
	return s.change(ctx, action, who, id, 0, func(_ postgres.Querier, row *postgres.WorkflowRow) error {
		row.Enabled = enabled
		return nil
	})
}

// change locks a workflow, lets edit change it, and stores and plans what came out of it.
func (s *Service) change(ctx context.Context, action audit.Action, who account.Principal, id uuid.UUID, revision int, edit func(postgres.Querier, *postgres.WorkflowRow) error) (postgres.WorkflowRow, error) {
	projects := who.Where(account.WorkflowWrite)
	var row postgres.WorkflowRow
	err := s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		var resumes bool // whether saving it again lets triggers go on that stopped by themselves
		workflows := postgres.Workflows{Q: q}
		if row, err = lock(ctx, workflows, projects, id, revision); err != nil {
			return err
		}
		before := row
		if err := edit(q, &row); err != nil {
			return err
		}
		if row.Version != before.Version || row.Enabled != before.Enabled {
			err = workflows.Update(ctx, row)
		} else if resumes, err = (postgres.Triggers{Q: q}).AnyPaused(ctx, id); err == nil && !resumes {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.plan(ctx, q, row, who.User.Username); err != nil {
			return err
		}
		if err := noteWorkflow(ctx, q, action, &before, &row); err != nil {
			return err
		}
		row, err = workflows.Get(ctx, projects, id)
		return err
	})
	return row, err
}

func lock(ctx context.Context, workflows postgres.Workflows, projects []uuid.UUID, id uuid.UUID, revision int) (postgres.WorkflowRow, error) {
	row, err := workflows.Lock(ctx, projects, id)
	if err == nil && revision != 0 && revision != row.Revision {
		return row, fault.New(fault.Precondition, "changed_meanwhile", "Somebody else saved this workflow in between; load it again")
	}
	return row, err
}

// Delete hides a workflow, ends its plan and cancels the runs that have not finished.
func (s *Service) Delete(ctx context.Context, who account.Principal, id uuid.UUID, revision int) error {
	var live []uuid.UUID
	reason := "the workflow was deleted by " + who.User.Username
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := lock(ctx, postgres.Workflows{Q: q}, who.Where(account.WorkflowWrite), id, revision)
		if err != nil {
			return err
		}
		live, err = s.remove(ctx, q, row, who.User.Username, reason)
		return err
	})
	if err != nil {
		return err
	}
	return s.CancelRuns(ctx, live, reason)
}

// remove hides a workflow that is locked, ends its plan, and asks its runs that have not finished to end. It answers those;
// that is asked for in the same transaction, so that nothing can come between, and carried out after it.
func (s *Service) remove(ctx context.Context, q postgres.Querier, row postgres.WorkflowRow, by, reason string) (live []uuid.UUID, err error) {
	if err := (postgres.Workflows{Q: q}).Delete(ctx, row.ID); err != nil {
		return nil, err
	}
	if err := (postgres.Drafts{Q: q}).Delete(ctx, row.ID); err != nil {
		return nil, err
	}
	if _, err := (postgres.Values{Q: q}).SetUses(ctx, row.ID, nil); err != nil {
		return nil, err
	}
	gone := row
	row.Enabled, row.Definition.Triggers = false, nil
	if err := s.plan(ctx, q, row, by); err != nil {
		return nil, err
	}
	if live, err = (postgres.Live{Q: q}).OfWorkflow(ctx, row.ID); err != nil {
		return nil, err
	}
	if _, err := (postgres.Live{Q: q}).AskCancel(ctx, live, reason); err != nil {
		return nil, err
	}
	return live, noteWorkflow(ctx, q, audit.WorkflowDelete, &gone, nil)
}

// sameJSON tells whether two definitions are written the same way.
func sameJSON(a, b workflow.Definition) (bool, error) {
	x, err := canonical(a)
	if err != nil {
		return false, err
	}
	y, err := canonical(b)
	if err != nil {
		return false, err
	}
	return bytes.Equal(x, y), nil
}

// canonical writes a definition with sorted keys, as the database gives configurations back.
func canonical(d workflow.Definition) ([]byte, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode a definition: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // two long numbers may differ in digits that a float64 does not have
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode a definition: %w", err)
	}
	raw, err = json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a definition: %w", err)
	}
	return raw, nil
}
