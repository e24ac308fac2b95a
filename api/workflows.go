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
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// recentRuns is the length of a workflow's strip.
const recentRuns = 14

// ListWorkflows implements the contract.
func (s *server) ListWorkflows(ctx context.Context, req oas.ListWorkflowsRequestObject) (oas.ListWorkflowsResponseObject, error) {
	p := req.Params
	before, err := idCursor(p.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(p.Limit)
	where, err := projects(ctx, account.WorkflowRead, p.ProjectId)
	if err != nil {
		return nil, err
	}
	filter := postgres.WorkflowFilter{Projects: where, Enabled: p.Enabled, Before: before, Limit: limit + 1}
	filter.Drafted = p.Unpublished != nil && *p.Unpublished
	if p.Q != nil {
		filter.Search = *p.Q
	}
	rows, err := postgres.Workflows{Q: s.db}.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.WorkflowRow) *string { return encodeCursor(r.ID.String()) })
	items, err := s.workflows(ctx, rows, language(p.AcceptLanguage))
	if err != nil {
		return nil, err
	}
	return oas.ListWorkflows200JSONResponse{Items: items, NextCursor: cursor}, nil
}

// projects are those in which the caller has the permission, or the one that was asked for, if the caller may.
func projects(ctx context.Context, permission account.Permission, only *uuid.UUID) ([]uuid.UUID, error) {
	p := httpx.Principal(ctx)
	if only == nil {
		return p.Where(permission), nil
	}
	return []uuid.UUID{*only}, p.May(permission, *only)
}

// CreateWorkflow implements the contract.
func (s *server) CreateWorkflow(ctx context.Context, req oas.CreateWorkflowRequestObject) (oas.CreateWorkflowResponseObject, error) {
	def, err := definitionOf(*req.Body)
	if err != nil {
		return nil, err
	}
	who := httpx.Principal(ctx)
	project, err := projectOr(who, req.Body.ProjectId)
	if err != nil {
		return nil, err
	}
	enabled := req.Body.Enabled == nil || *req.Body.Enabled
	row, err := s.dispatch.Create(ctx, who, project, def, enabled)
	if err != nil {
		return nil, err
	}
	w, err := s.workflow(ctx, row, language(req.Params.AcceptLanguage))
	if err != nil {
		return nil, err
	}
	location, etag := httpx.Prefix+"/workflows/"+row.ID.String(), etagOf(row)
	return oas.CreateWorkflow201JSONResponse{Body: w, Headers: oas.CreateWorkflow201ResponseHeaders{Location: &location, ETag: &etag}}, nil
}

// projectOr is the project that was named, or else the caller's own.
func projectOr(who account.Principal, named *uuid.UUID) (uuid.UUID, error) {
	if named != nil {
		return *named, nil
	}
	home, ok := who.Home()
	if !ok {
		return home, fault.At("/project_id", "required", "you have no project of your own; name one")
	}
	return home, nil
}

// ValidateWorkflow implements the contract.
func (s *server) ValidateWorkflow(ctx context.Context, req oas.ValidateWorkflowRequestObject) (oas.ValidateWorkflowResponseObject, error) {
	def, err := definitionOf(*req.Body)
	if err != nil {
		return nil, err
	}
	if err := s.dispatch.Check(def); err != nil {
		return nil, err
	}
	who := httpx.Principal(ctx)
	project, err := projectOr(who, req.Body.ProjectId)
	if err != nil {
		return oas.ValidateWorkflow204Response{}, nil //nolint:nilerr // nobody's project in particular: nothing can be said about names
	}
	if err := who.May(account.WorkflowWrite, project); err != nil {
		return nil, err
	}
	return oas.ValidateWorkflow204Response{}, s.dispatch.CheckUses(ctx, project, def)
}

// GetWorkflow implements the contract.
func (s *server) GetWorkflow(ctx context.Context, req oas.GetWorkflowRequestObject) (oas.GetWorkflowResponseObject, error) {
	row, err := postgres.Workflows{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.WorkflowRead), req.Id)
	if err != nil {
		return nil, err
	}
	one, err := s.one(ctx, row, req.Params.AcceptLanguage)
	return oas.GetWorkflow200JSONResponse{OneWorkflowJSONResponse: one}, err
}

// ReplaceWorkflow implements the contract.
func (s *server) ReplaceWorkflow(ctx context.Context, req oas.ReplaceWorkflowRequestObject) (oas.ReplaceWorkflowResponseObject, error) {
	def, err := definitionOf(*req.Body)
	if err != nil {
		return nil, err
	}
	revision, err := revisionOf(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.Replace(ctx, httpx.Principal(ctx), req.Id, def, req.Body.Enabled, revision)
	if err != nil {
		return nil, err
	}
	one, err := s.one(ctx, row, req.Params.AcceptLanguage)
	return oas.ReplaceWorkflow200JSONResponse{OneWorkflowJSONResponse: one}, err
}

// DeleteWorkflow implements the contract.
func (s *server) DeleteWorkflow(ctx context.Context, req oas.DeleteWorkflowRequestObject) (oas.DeleteWorkflowResponseObject, error) {
	revision, err := revisionOf(req.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := s.dispatch.Delete(ctx, httpx.Principal(ctx), req.Id, revision); err != nil {
		return nil, err
	}
	return oas.DeleteWorkflow204Response{}, nil
}

// EnableWorkflow implements the contract.
func (s *server) EnableWorkflow(ctx context.Context, req oas.EnableWorkflowRequestObject) (oas.EnableWorkflowResponseObject, error) {
	row, err := s.dispatch.SetEnabled(ctx, httpx.Principal(ctx), req.Id, true)
	if err != nil {
		return nil, err
	}
	one, err := s.one(ctx, row, req.Params.AcceptLanguage)
	return oas.EnableWorkflow200JSONResponse{OneWorkflowJSONResponse: one}, err
}

// DisableWorkflow implements the contract.
func (s *server) DisableWorkflow(ctx context.Context, req oas.DisableWorkflowRequestObject) (oas.DisableWorkflowResponseObject, error) {
	row, err := s.dispatch.SetEnabled(ctx, httpx.Principal(ctx), req.Id, false)
	if err != nil {
		return nil, err
	}
	one, err := s.one(ctx, row, req.Params.AcceptLanguage)
	return oas.DisableWorkflow200JSONResponse{OneWorkflowJSONResponse: one}, err
}

// ListVersions implements the contract.
func (s *server) ListVersions(ctx context.Context, req oas.ListVersionsRequestObject) (oas.ListVersionsResponseObject, error) {
	workflows := postgres.Workflows{Q: s.db}
	if _, err := workflows.Get(ctx, httpx.Principal(ctx).Where(account.WorkflowRead), req.Id); err != nil {
		return nil, err
	}
	before, err := numberCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	rows, err := workflows.Versions(ctx, req.Id, before, limit+1)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.VersionRow) *string { return encodeCursor(strconv.Itoa(r.Version)) })
	page := oas.ListVersions200JSONResponse{Items: []oas.Version{}, NextCursor: cursor}
	for _, r := range rows {
		v, err := versionOf(r)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, v)
	}
	return page, nil
}

// GetVersion implements the contract.
func (s *server) GetVersion(ctx context.Context, req oas.GetVersionRequestObject) (oas.GetVersionResponseObject, error) {
	workflows := postgres.Workflows{Q: s.db}
	if _, err := workflows.Get(ctx, httpx.Principal(ctx).Where(account.WorkflowRead), req.Id); err != nil {
		return nil, err
	}
	row, err := workflows.Version(ctx, req.Id, int(req.Version))
	if err != nil {
		return nil, err
	}
	v, err := versionOf(row)
	return oas.GetVersion200JSONResponse(v), err
}

func versionOf(r postgres.VersionRow) (oas.Version, error) {
	v := oas.Version{Version: int32(r.Version), CreatedAt: wire.At(r.CreatedAt)} //nolint:gosec // counts saves
	if r.CreatedBy != nil {
		v.CreatedBy = *r.CreatedBy
	}
	return v, recode(r.Definition, &v.Definition)
}

// definitionOf reads the definition out of a request. The API's JSON is the definition's own, so that one becomes the
// other by being written and read again; what the server sets is not part of it.
func definitionOf(in oas.WorkflowInput) (workflow.Definition, error) {
	in.Id, in.Version, in.CreatedAt, in.UpdatedAt, in.NextFireAt, in.RecentRuns, in.Draft = nil, nil, nil, nil, nil, nil, nil
	in.ProjectId, in.Enabled = nil, nil
	if in.Triggers != nil {
		for i := range *in.Triggers {
			t := &(*in.Triggers)[i]
			t.NextFireAt, t.Description, t.PausedReason, t.Url, t.Heartbeat, t.AfterWorkflowId = nil, nil, nil, nil, nil, nil
			if t.Enabled != nil && *t.Enabled {
				t.Enabled = nil // the default; said or not, it is the same definition
			}
		}
	}
	var def workflow.Definition
	if err := checkDurations(in); err != nil {
		return def, err
	}
	if err := recode(in, &def); err != nil {
		return def, &fault.Error{Kind: fault.Invalid, Code: "definition", Message: "The definition cannot be read: " + err.Error(), Err: err}
	}
	return def, nil
}

// checkDurations finds durations that fit the contract's pattern and are still none, such as 99999999999h.
func checkDurations(in oas.WorkflowInput) error {
	var fields []fault.Field
	check := func(pointer string, text *string) {
		if text == nil {
			return
		}
		if _, err := workflow.ParseDuration(*text); err != nil {
			fields = append(fields, fault.Field{Pointer: pointer, Code: "duration", Message: err.Error()})
		}
	}
	check("/timeout", in.Timeout)
	if in.Keep != nil {
		check("/keep/succeeded", in.Keep.Succeeded)
		check("/keep/failed", in.Keep.Failed)
	}
	if in.Triggers != nil {
		for i, t := range *in.Triggers {
			at := fmt.Sprintf("/triggers/%d", i)
			check(at+"/every", t.Every)
			check(at+"/catch_up_window", t.CatchUpWindow)
			check(at+"/grace", t.Grace)
			check(at+"/jitter", t.Jitter)
			if t.Dedupe != nil {
				check(at+"/dedupe/window", t.Dedupe.Window)
			}
			if t.Respond != nil {
				check(at+"/respond/wait", &t.Respond.Wait)
			}
		}
	}
	for i, s := range in.Steps {
		at := fmt.Sprintf("/steps/%d", i)
		check(at+"/timeout", s.Timeout)
		if s.Retry != nil {
			check(at+"/retry/initial", s.Retry.Initial)
			check(at+"/retry/max", s.Retry.Max)
		}
	}
	return fault.InvalidFields(fields)
}

func recode(from, to any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return httpx.DecodeJSON(raw, to) //nolint:wrapcheck // it says what it did
}

func (s *server) one(ctx context.Context, row postgres.WorkflowRow, accept *string) (oas.OneWorkflowJSONResponse, error) {
	w, err := s.workflow(ctx, row, language(accept))
	etag := etagOf(row)
	return oas.OneWorkflowJSONResponse{Body: w, Headers: oas.OneWorkflowResponseHeaders{ETag: &etag}}, err
}

func (s *server) workflow(ctx context.Context, row postgres.WorkflowRow, lang string) (oas.Workflow, error) {
	list, err := s.workflows(ctx, []postgres.WorkflowRow{row}, lang)
	if err != nil {
		return oas.Workflow{}, err
	}
	return list[0], nil
}

func etagOf(row postgres.WorkflowRow) string { return `"` + strconv.Itoa(row.Revision) + `"` }

// revisionOf reads If-Match; 0 when there is none, or when any will do.
func revisionOf(header *string) (int, error) {
	if header == nil || *header == "*" {
		return 0, nil
	}
	value := strings.Trim(strings.TrimPrefix(*header, "W/"), `"`)
	revision, err := strconv.Atoi(value)
	if err != nil || revision < 1 {
		return 0, fault.New(fault.Precondition, "changed_meanwhile", "If-Match does not name a version of this workflow; load it again")
	}
	return revision, nil
}

// language picks es or en from an Accept-Language header: whichever is named first.
func language(header *string) string {
	if header == nil {
		return "en"
	}
	for _, part := range strings.Split(*header, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch primary, _, _ := strings.Cut(strings.ToLower(tag), "-"); primary {
		case "es", "en":
			return primary
		}
	}
	return "en"
}
