package dispatch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// MaxInputs is the size of a run's inputs as JSON, in bytes.
const MaxInputs = workflow.MaxInputs

// Start starts a run of a workflow now. key, when not empty, is the caller's idempotency key: a second call with it
// answers the run of the first. Errors: not found, invalid inputs, a key that was used for something else.
func (s *Service) Start(ctx context.Context, who account.Principal, workflowID uuid.UUID, inputs map[string]any, key string) (postgres.RunRow, error) {
	head, err := s.knownHead(ctx, who, workflowID)
	if err != nil {
		return postgres.RunRow{}, err
	}
	row, err := s.startAs(ctx, who, head, inputs, key)
	for errors.Is(err, errOutdated) { // it was saved or deleted since: look, and try again
		if head, err = s.head(ctx, who, workflowID); err != nil {
			return postgres.RunRow{}, err
		}
		row, err = s.startAs(ctx, who, head, inputs, key)
	}
	return row, err
}

func (s *Service) startAs(ctx context.Context, who account.Principal, head postgres.Head, inputs map[string]any, key string) (postgres.RunRow, error) {
	if head.Version == 0 {
		return postgres.RunRow{}, errUnpublished
	}
	whole, err := complete(head.Inputs, inputs)
	if err != nil {
		return postgres.RunRow{}, err
	}
	raw, err := encodeInputs(whole)
	if err != nil {
		return postgres.RunRow{}, err
	}
	fresh, err := newRun(head, head.Version, run.Manual, who, raw)
	if err != nil {
		return postgres.RunRow{}, err
	}
	fresh.Current = true
	return s.submit(ctx, who, fresh, head.Name, submission{key: key, request: raw})
}

// complete fills in the defaults of a workflow's schema, and holds inputs against it.
func complete(schema json.RawMessage, inputs map[string]any) (map[string]any, error) {
	if len(schema) == 0 {
		return inputs, nil
	}
	in, err := workflow.ParseInputs(schema)
	if err != nil {
		return nil, fmt.Errorf("read the schema of the inputs: %w", err)
	}
	whole, err := in.Complete(inputs)
	return whole, fault.Under("/inputs", err)
}

// errUnpublished says that nothing of a workflow can run yet.
var errUnpublished = fault.New(fault.Conflict, "not_published", "The workflow was never published: publish its draft, or run that")

// errOutdated says that a workflow is not any more what it was taken for.
var errOutdated = errors.New("the workflow has changed")

// knownHead is head as it was when it was last looked up. Whoever uses it has to see to it that it still holds.
func (s *Service) knownHead(ctx context.Context, who account.Principal, id uuid.UUID) (postgres.Head, error) {
	if known, ok := s.known.Load(id); ok {
		if head, ok := known.(postgres.Head); ok && who.Can(account.RunStart, head.ProjectID) {
			return head, nil
		}
	}
	return s.head(ctx, who, id)
}

// head finds a workflow whose runs the principal may start, together with others that are asked for at the same time.
func (s *Service) head(ctx context.Context, who account.Principal, id uuid.UUID) (postgres.Head, error) {
	head, err := s.heads.Do(ctx, id)
	if err != nil {
		return postgres.Head{}, err
	}
	if head == nil {
		s.known.Delete(id)
		return postgres.Head{}, postgres.ErrNotFound
	}
	if head.Version > 0 { // else it may be published by whoever, at any time
		s.known.Store(id, *head)
	}
	if err := who.May(account.RunStart, head.ProjectID); err != nil {
		return postgres.Head{}, err
	}
	return *head, nil
}

func newRun(head postgres.Head, version int, trigger run.Trigger, who account.Principal, inputs json.RawMessage) (postgres.NewRun, error) {
	id, err := NewRunID()
	if err != nil {
		return postgres.NewRun{}, err
	}
	return postgres.NewRun{
		ID: id, ProjectID: head.ProjectID, WorkflowID: head.ID, Version: version, Trigger: trigger, Inputs: inputs,
		CreatedBy: &who.User.ID,
	}, nil
}

func encodeInputs(inputs map[string]any) (json.RawMessage, error) {
	if len(inputs) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(inputs)
	if err != nil {
		return nil, fmt.Errorf("encode inputs: %w", err)
	}
	if len(raw) > MaxInputs {
		return nil, fault.At("/inputs", "too_large", "the inputs are larger than 256 KiB")
	}
	return raw, nil
}

// submission is what a run is made with besides itself.
type submission struct {
	steps   []postgres.StepRow // that it takes over
	key     string             // idempotency key; may be empty
	request []byte             // what a second request with the key has to be like
	note    *audit.Change      // for the audit log; nil: the run itself says who started it
}

// alone tells whether it needs a transaction of its own.
func (s submission) alone() bool { return s.key != "" || len(s.steps) > 0 || s.note != nil }

// submit writes a run and hands it out. Where nothing needs a transaction of its own it shares one with others that arrive
// at the same time.
func (s *Service) submit(ctx context.Context, who account.Principal, fresh postgres.NewRun, name string, with submission) (postgres.RunRow, error) {
	var made *postgres.Inserted
	var err error
	if !with.alone() {
		var done insertion
		if done, err = s.inserts.Do(ctx, fresh); done.refused != nil {
			return postgres.RunRow{}, done.refused
		}
		made = done.made
	} else {
		var first uuid.UUID
		first, made, err = s.submitAlone(ctx, who, fresh, with)
		if err == nil && first != fresh.ID {
			return postgres.Runs{Q: s.db}.Get(ctx, who.Where(account.RunStart), first)
		}
	}
	if err != nil {
		return postgres.RunRow{}, err
	}
	if made == nil {
		return postgres.RunRow{}, errOutdated
	}
	// The run is committed: a caller who leaves does not keep it from the queue.
	if _, err := s.fresh.Do(context.WithoutCancel(ctx), committed{fresh, *made}); err != nil {
		s.log.DebugContext(ctx, "run not handed out; the dispatcher will", "run_id", fresh.ID, "error", err)
	}
	now := s.clock.Now()
	return postgres.RunRow{
		ID: fresh.ID, ProjectID: fresh.ProjectID, WorkflowID: fresh.WorkflowID, WorkflowName: name,
		Version: fresh.Version, Status: run.Queued, Trigger: fresh.Trigger, RerunOf: fresh.RerunOf, Inputs: fresh.Inputs,
		CreatedAt: now,
	}, nil
}

// submitAlone answers the id of the run, fresh's or that of the first request with the same key, and what was made of fresh:
// nothing when its Current does not hold.
func (s *Service) submitAlone(ctx context.Context, who account.Principal, fresh postgres.NewRun, with submission) (id uuid.UUID, made *postgres.Inserted, err error) {
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		id, made = fresh.ID, nil
		if with.key != "" {
			hash := sha256.Sum256(append([]byte(string(fresh.Trigger)+fresh.WorkflowID.String()), with.request...))
			first, err := postgres.Keys{Q: q}.Reserve(ctx, who.User.ID, with.key, hash[:], fresh.ID)
			if err != nil || first != fresh.ID {
				id = first
				return err
			}
		}
		allowed, err := s.Allowances(ctx, q, []uuid.UUID{fresh.ProjectID})
		if err != nil {
			return err
		}
		if refused := allowed[fresh.ProjectID].Take(); refused != nil {
			return refused // and the key is free again
		}
		inserted, err := postgres.Runs{Q: q}.Insert(ctx, []postgres.NewRun{fresh}, s.queue.Room(ctx))
		if err != nil {
			return err
		}
		if len(inserted) == 0 {
			return errOutdated // and the key is free again
		}
		made = &inserted[0]
		if err := (postgres.Runs{Q: q}).InsertSteps(ctx, with.steps); err != nil || with.note == nil {
			return err
		}
		return postgres.Note(ctx, q, *with.note)
	})
	return id, made, err
}
