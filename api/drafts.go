package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// CreateDraft implements the contract.
func (s *server) CreateDraft(ctx context.Context, req oas.CreateDraftRequestObject) (oas.CreateDraftResponseObject, error) {
	who := httpx.Principal(ctx)
	project, err := projectOr(who, req.Body.ProjectId)
	if err != nil {
		return nil, err
	}
	fresh, err := newDraft(req.Body.Definition)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.Begin(ctx, who, project, fresh)
	if err != nil {
		return nil, err
	}
	one, err := s.draft(ctx, row)
	location := httpx.Prefix + "/workflows/" + row.WorkflowID.String() + "/draft"
	return oas.CreateDraft201JSONResponse{Body: one.Body, Headers: oas.CreateDraft201ResponseHeaders{Location: &location, ETag: one.Headers.ETag}}, err
}

// GetDraft implements the contract.
func (s *server) GetDraft(ctx context.Context, req oas.GetDraftRequestObject) (oas.GetDraftResponseObject, error) {
	row, err := s.draftRow(ctx, account.WorkflowRead, req.Id, nil)
	if err != nil {
		return nil, err
	}
	one, err := s.draft(ctx, row)
	return oas.GetDraft200JSONResponse{OneDraftJSONResponse: one}, err
}

// SaveDraft implements the contract.
func (s *server) SaveDraft(ctx context.Context, req oas.SaveDraftRequestObject) (oas.SaveDraftResponseObject, error) {
	fresh, err := newDraft(req.Body.Definition)
	if err != nil {
		return nil, err
	}
	if fresh.Revision, err = revisionOf(req.Params.IfMatch); err != nil {
		return nil, err
	}
	fresh.First = req.Params.IfNoneMatch != nil
	if req.Body.BasedOn != nil {
		version := int(*req.Body.BasedOn)
		fresh.BasedOn = &version
	}
	row, err := s.dispatch.SaveDraft(ctx, httpx.Principal(ctx), req.Id, fresh)
	if err != nil {
		return nil, err
	}
	one, err := s.draft(ctx, row)
	return oas.SaveDraft200JSONResponse{OneDraftJSONResponse: one}, err
}

// DiscardDraft implements the contract.
func (s *server) DiscardDraft(ctx context.Context, req oas.DiscardDraftRequestObject) (oas.DiscardDraftResponseObject, error) {
	revision, err := revisionOf(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.dispatch.Discard(ctx, httpx.Principal(ctx), req.Id, revision); err != nil {
		return nil, err
	}
	return oas.DiscardDraft204Response{}, nil
}

// PlanDraft implements the contract.
func (s *server) PlanDraft(ctx context.Context, req oas.PlanDraftRequestObject) (oas.PlanDraftResponseObject, error) {
	row, def, enabled, err := s.drafted(ctx, account.WorkflowRead, req.Id, nil)
	if err != nil {
		return nil, err
	}
	moved, err := s.dispatch.PlanDraft(ctx, httpx.Principal(ctx), row.WorkflowID, def, enabled)
	if err != nil {
		return nil, err
	}
	plan := oas.PlanDraft200JSONResponse{Fires: make([]oas.MovedFires, len(moved))}
	for i, m := range moved {
		plan.Fires[i] = oas.MovedFires{Trigger: m.Trigger, Before: wire.All(m.Before), After: wire.All(m.After)}
	}
	return plan, nil
}

// PublishDraft implements the contract.
func (s *server) PublishDraft(ctx context.Context, req oas.PublishDraftRequestObject) (oas.PublishDraftResponseObject, error) {
	draft, def, enabled, err := s.drafted(ctx, account.WorkflowWrite, req.Id, req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.Publish(ctx, httpx.Principal(ctx), req.Id, def, enabled, draft.Revision)
	if err != nil {
		return nil, err
	}
	one, err := s.one(ctx, row, req.Params.AcceptLanguage)
	return oas.PublishDraft200JSONResponse{OneWorkflowJSONResponse: one}, err
}

// RunDraft implements the contract.
func (s *server) RunDraft(ctx context.Context, req oas.RunDraftRequestObject) (oas.RunDraftResponseObject, error) {
	draft, def, _, err := s.drafted(ctx, account.WorkflowWrite, req.Id, req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var inputs map[string]any
	if req.Body != nil && req.Body.Inputs != nil {
		inputs = *req.Body.Inputs
	}
	row, err := s.dispatch.RunDraft(ctx, httpx.Principal(ctx), req.Id, def, draft.Revision, inputs, keyOf(req.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	accepted, err := s.accepted(ctx, row)
	return oas.RunDraft202JSONResponse{RunAcceptedJSONResponse: accepted}, err
}

// newDraft reads what is to be kept.
func newDraft(definition map[string]any) (dispatch.NewDraft, error) {
	raw, err := json.Marshal(definition)
	if err != nil {
		return dispatch.NewDraft{}, fmt.Errorf("encode a draft: %w", err)
	}
	name, _ := definition["name"].(string)
	if runes := []rune(name); len(runes) > maxDraftName {
		name = string(runes[:maxDraftName])
	}
	return dispatch.NewDraft{Definition: raw, Name: strings.TrimSpace(name)}, nil
}

// maxDraftName is how much of a name, in characters, is shown of a workflow that was never published.
const maxDraftName = 200

// draftRow finds the draft of a workflow in which the caller has the permission. ifMatch, when there is one, must be its ETag.
func (s *server) draftRow(ctx context.Context, permission account.Permission, id uuid.UUID, ifMatch *string) (postgres.DraftRow, error) {
	revision, err := revisionOf(ifMatch)
	if err != nil {
		return postgres.DraftRow{}, err
	}
	if _, err := (postgres.Workflows{Q: s.db}).Get(ctx, httpx.Principal(ctx).Where(permission), id); err != nil {
		return postgres.DraftRow{}, err
	}
	row, err := postgres.Drafts{Q: s.db}.Get(ctx, id)
	if err == nil && revision != 0 && revision != row.Revision {
		return row, fault.New(fault.Precondition, "changed_meanwhile", "Somebody else saved this draft in between; load it again")
	}
	return row, err
}

// drafted finds a draft that is to be used, and reads what it says. Errors: what is wrong with it.
func (s *server) drafted(ctx context.Context, permission account.Permission, id uuid.UUID, ifMatch *string) (row postgres.DraftRow, def workflow.Definition, enabled *bool, err error) {
	if row, err = s.draftRow(ctx, permission, id, ifMatch); err != nil {
		return row, def, nil, err
	}
	def, enabled, err = s.readDraft(row)
	return row, def, enabled, err
}

// readDraft reads a draft as the body of a request is read.
func (s *server) readDraft(row postgres.DraftRow) (def workflow.Definition, enabled *bool, err error) {
	if err := s.contract.CheckValue("WorkflowInput", row.Definition); err != nil {
		return def, nil, err
	}
	var in oas.WorkflowInput
	if err := httpx.DecodeJSON(row.Definition, &in); err != nil {
		return def, nil, &fault.Error{Kind: fault.Invalid, Code: "definition", Message: "The definition cannot be read: " + err.Error(), Err: err}
	}
	enabled = in.Enabled
	def, err = definitionOf(in)
	return def, enabled, err
}

// draft shows a draft with what keeps it from being published.
func (s *server) draft(ctx context.Context, row postgres.DraftRow) (oas.OneDraftJSONResponse, error) {
	var one oas.OneDraftJSONResponse
	of, err := postgres.Workflows{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.WorkflowRead), row.WorkflowID)
	if err != nil {
		return one, err
	}
	etag := `"` + strconv.Itoa(row.Revision) + `"`
	one.Headers.ETag = &etag
	one.Body = oas.Draft{
		WorkflowId: row.WorkflowID, ProjectId: of.ProjectID, BasedOn: int32(row.BasedOn), Version: int32(of.Version), //nolint:gosec // counts saves
		UpdatedAt: wire.At(row.UpdatedAt), UpdatedBy: row.UpdatedBy, Definition: map[string]any{}, Faults: []oas.DraftFault{},
	}
	if err := httpx.DecodeJSON(row.Definition, &one.Body.Definition); err != nil {
		return one, fmt.Errorf("read the draft of workflow %s: %w", row.WorkflowID, err)
	}
	err = s.checkDraft(ctx, row, of.ProjectID)
	f, ok := fault.Of(err)
	switch {
	case err == nil:
	case !ok || f.Kind != fault.Invalid:
		return one, err
	case len(f.Fields) == 0:
		one.Body.Faults = append(one.Body.Faults, oas.DraftFault{Code: f.Code, Message: f.Message})
	}
	if ok {
		for _, field := range f.Fields {
			one.Body.Faults = append(one.Body.Faults, oas.DraftFault{Pointer: field.Pointer, Code: field.Code, Message: field.Message})
		}
	}
	return one, nil
}

// checkDraft says what keeps a draft from being published, as ValidateWorkflow would.
func (s *server) checkDraft(ctx context.Context, row postgres.DraftRow, project uuid.UUID) error {
	def, _, err := s.readDraft(row)
	if err != nil {
		return err
	}
	if err := s.dispatch.Check(def); err != nil {
		return err
	}
	return s.dispatch.CheckUses(ctx, project, def)
}
