package dispatch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// NewDraft is what is kept as a draft.
type NewDraft struct {
	Definition json.RawMessage // an object, valid or not
	Name       string          // in it, as far as it is one: what a workflow that was never published is called
	BasedOn    *int            // the version that it is to replace; nil: as it was, or the one that runs
	Revision   int             // only over the draft that has it (Precondition); 0: over whatever is there
	First      bool            // only if there is none (Precondition)
}

// Begin keeps the draft of a workflow that does not exist yet.
func (s *Service) Begin(ctx context.Context, who account.Principal, project uuid.UUID, d NewDraft) (postgres.DraftRow, error) {
	if err := who.May(account.WorkflowWrite, project); err != nil {
		return postgres.DraftRow{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return postgres.DraftRow{}, fmt.Errorf("make a workflow id: %w", err)
	}
	var draft postgres.DraftRow
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		if err := (postgres.Projects{Q: q}).Hold(ctx, project); err != nil {
			return err
		}
		if err := s.roomForWorkflow(ctx, q, project); err != nil {
			return err
		}
		row := postgres.WorkflowRow{ID: id, ProjectID: project, Enabled: true, Definition: stub(d.Name)}
		if err := (postgres.Workflows{Q: q}).Insert(ctx, row, who.User.ID); err != nil {
			return err
		}
		drafts := postgres.Drafts{Q: q}
		if err := drafts.Put(ctx, postgres.DraftRow{WorkflowID: id, Definition: d.Definition}, who.User.ID); err != nil {
			return err
		}
		if err := noteWorkflow(ctx, q, audit.WorkflowCreate, nil, &row); err != nil {
			return err
		}
		draft, err = drafts.Get(ctx, id)
		return err
	})
	return draft, err
}

// stub is what a workflow is before it is published for the first time: a name, and nothing that could run.
func stub(name string) workflow.Definition {
	return workflow.Definition{Name: name, Steps: []workflow.Step{}}
}

// SaveDraft keeps a definition as a workflow's draft; what runs stays as it is.
func (s *Service) SaveDraft(ctx context.Context, who account.Principal, id uuid.UUID, d NewDraft) (draft postgres.DraftRow, err error) {
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.Workflows{Q: q}.Lock(ctx, who.Where(account.WorkflowWrite), id)
		if err != nil {
			return err
		}
		drafts := postgres.Drafts{Q: q}
		old, err := drafts.Get(ctx, id)
		there := err == nil
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if d.First && there || d.Revision != 0 && d.Revision != old.Revision {
			return errDraftChanged
		}
		fresh := postgres.DraftRow{WorkflowID: id, Definition: d.Definition, BasedOn: row.Version}
		if there {
			fresh.BasedOn = old.BasedOn
		}
		if d.BasedOn != nil {
			fresh.BasedOn = *d.BasedOn
		}
		if fresh.BasedOn > row.Version {
			return fault.At("/based_on", "unknown_version", "there is no version %d yet: %d is the one that runs", fresh.BasedOn, row.Version)
		}
		if err := drafts.Put(ctx, fresh, who.User.ID); err != nil {
			return err
		}
		if row.Version == 0 {
			if err := drafts.Name(ctx, id, stub(d.Name)); err != nil {
				return err
			}
		}
		draft, err = drafts.Get(ctx, id)
		if err != nil || there && old.UpdatedBy != nil && *old.UpdatedBy == who.User.Username {
			return err // an editor saves every few seconds: who goes on with a draft is noted once
		}
		c := aboutWorkflow(audit.DraftBegin, row)
		c.After = audit.Data{"based_on": draft.BasedOn}
		if there {
			c.Before = audit.Data{"updated_by": old.UpdatedBy}
		}
		return postgres.Note(ctx, q, c)
	})
	return draft, err
}

var errDraftChanged = fault.New(fault.Precondition, "changed_meanwhile", "Somebody else saved or removed this draft in between; load it again")

// lockDraft is lock for a transaction that uses the workflow's draft; a revision other than 0 must be the draft's.
func lockDraft(ctx context.Context, q postgres.Querier, projects []uuid.UUID, id uuid.UUID, revision int) (postgres.WorkflowRow, postgres.DraftRow, error) {
	row, err := postgres.Workflows{Q: q}.Lock(ctx, projects, id)
	if err != nil {
		return row, postgres.DraftRow{}, err
	}
	draft, err := postgres.Drafts{Q: q}.Get(ctx, id)
	if revision != 0 && (fault.Is(err, fault.NotFound) || err == nil && draft.Revision != revision) {
		return row, draft, errDraftChanged
	}
	return row, draft, err
}

// Discard forgets a workflow's draft. A workflow that was never published is deleted with it.
func (s *Service) Discard(ctx context.Context, who account.Principal, id uuid.UUID, revision int) error {
	var unpublished bool
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		row, draft, err := lockDraft(ctx, q, who.Where(account.WorkflowWrite), id, revision)
		if err != nil {
			return err
		}
		if unpublished = row.Version == 0; unpublished {
			return nil
		}
		if err := (postgres.Drafts{Q: q}).Delete(ctx, id); err != nil {
			return err
		}
		c := aboutWorkflow(audit.DraftDiscard, row)
		c.Before = audit.Data{"based_on": draft.BasedOn, "updated_by": draft.UpdatedBy}
		return postgres.Note(ctx, q, c)
	})
	if err == nil && unpublished {
		err = s.Delete(ctx, who, id, 0)
	}
	return err
}

// Publish makes the draft the version that runs, as Replace would. def is what its definition says, and revision is the
// draft's, so that nothing else is published than what was read. Errors: an invalid definition; Conflict when another version
// runs than the one that the draft is to replace.
func (s *Service) Publish(ctx context.Context, who account.Principal, id uuid.UUID, def workflow.Definition, enabled *bool, revision int) (postgres.WorkflowRow, error) {
	if err := s.Check(def); err != nil {
		return postgres.WorkflowRow{}, err
	}
	return s.change(ctx, audit.WorkflowPublish, who, id, 0, func(q postgres.Querier, row *postgres.WorkflowRow) error {
		_, draft, err := lockDraft(ctx, q, who.Where(account.WorkflowWrite), id, revision)
		if err != nil {
			return err
		}
		if draft.BasedOn != row.Version {
			return fault.New(fault.Conflict, "draft_outdated",
				"Version %d was published since the draft was begun from version %d; look at what is different, then publish it as based on %[1]d", row.Version, draft.BasedOn)
		}
		before := *row
		if err := s.save(ctx, q, row, who, def, enabled); err != nil {
			return err
		}
		if err := (postgres.Drafts{Q: q}).Delete(ctx, id); err != nil {
			return err
		}
		if row.Version == before.Version && row.Enabled == before.Enabled { // all that changes is that the draft is gone
			return noteWorkflow(ctx, q, audit.WorkflowPublish, &before, row)
		}
		return nil
	})
}

// RunDraft runs a definition that is the draft's of that revision, with inputs. The run keeps it, whatever becomes of the
// draft. key is as for Start.
func (s *Service) RunDraft(ctx context.Context, who account.Principal, id uuid.UUID, def workflow.Definition, revision int, inputs map[string]any, key string) (postgres.RunRow, error) {
	whole, err := complete(def.Inputs, inputs)
	if err != nil {
		return postgres.RunRow{}, err
	}
	raw, err := encodeInputs(whole)
	if err != nil {
		return postgres.RunRow{}, err
	}
	head, err := s.keepDraft(ctx, who, id, def, revision)
	if err != nil {
		return postgres.RunRow{}, err
	}
	fresh, err := newRun(head, head.Version, run.Manual, who, raw)
	if err != nil {
		return postgres.RunRow{}, err
	}
	return s.submit(ctx, who, fresh, def.Name, submission{key: key, request: append([]byte("draft"), raw...)})
}

// keepDraft sees to it that what the draft says can be run under a version of its own, below zero, and answers that.
func (s *Service) keepDraft(ctx context.Context, who account.Principal, id uuid.UUID, def workflow.Definition, revision int) (head postgres.Head, err error) {
	if err := s.Check(def); err != nil {
		return head, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		row, draft, err := lockDraft(ctx, q, who.Where(account.WorkflowWrite), id, revision)
		if err != nil {
			return err
		}
		if err := who.May(account.RunStart, row.ProjectID); err != nil {
			return err
		}
		if err := s.CheckUses(ctx, row.ProjectID, def); err != nil {
			return err
		}
		if err := s.checkCallees(ctx, q, row.ProjectID, def); err != nil {
			return err
		}
		head = row.Head()
		if draft.Snapshot != nil {
			head.Version = *draft.Snapshot
			return nil
		}
		head.Version, err = postgres.Drafts{Q: q}.Keep(ctx, id, def, who.User.ID)
		return err
	})
	return head, err
}
