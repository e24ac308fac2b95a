package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// ListRules implements the contract.
func (s *server) ListRules(ctx context.Context, req oas.ListRulesRequestObject) (oas.ListRulesResponseObject, error) {
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	where, err := projects(ctx, account.AlertRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	rows, err := postgres.AlertRules{Q: s.db}.List(ctx, postgres.RuleFilter{
		Projects: where, Workflow: req.Params.WorkflowId, Before: before, Limit: limit + 1,
	})
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.RuleRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListRules200JSONResponse{Items: make([]oas.Rule, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = ruleOf(r)
	}
	return page, nil
}

// CreateRule implements the contract.
func (s *server) CreateRule(ctx context.Context, req oas.CreateRuleRequestObject) (oas.CreateRuleResponseObject, error) {
	project, err := projectOr(httpx.Principal(ctx), req.Body.ProjectId)
	if err != nil {
		return nil, err
	}
	spec, err := ruleIn(*req.Body)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.CreateRule(ctx, httpx.Principal(ctx), project, spec)
	if err != nil {
		return nil, err
	}
	location := httpx.Prefix + "/alert-rules/" + row.ID.String()
	return oas.CreateRule201JSONResponse{Body: ruleOf(row), Headers: oas.CreateRule201ResponseHeaders{Location: &location}}, nil
}

// GetRule implements the contract.
func (s *server) GetRule(ctx context.Context, req oas.GetRuleRequestObject) (oas.GetRuleResponseObject, error) {
	row, err := postgres.AlertRules{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.AlertRead), req.Id)
	return oas.GetRule200JSONResponse(ruleOf(row)), err
}

// ReplaceRule implements the contract.
func (s *server) ReplaceRule(ctx context.Context, req oas.ReplaceRuleRequestObject) (oas.ReplaceRuleResponseObject, error) {
	spec, err := ruleIn(*req.Body)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.ReplaceRule(ctx, httpx.Principal(ctx), req.Id, spec)
	return oas.ReplaceRule200JSONResponse(ruleOf(row)), err
}

// DeleteRule implements the contract.
func (s *server) DeleteRule(ctx context.Context, req oas.DeleteRuleRequestObject) (oas.DeleteRuleResponseObject, error) {
	return oas.DeleteRule204Response{}, s.dispatch.DeleteRule(ctx, httpx.Principal(ctx), req.Id)
}

func ruleIn(b oas.RuleInput) (alert.Rule, error) {
	r := alert.Rule{Name: b.Name, Enabled: b.Enabled == nil || *b.Enabled, Channels: b.Channels, Repeat: workflow.Duration(alert.DefaultRepeat)}
	for _, kind := range b.On {
		r.On = append(r.On, alert.Kind(kind))
	}
	if b.Workflows != nil {
		r.Workflows = *b.Workflows
	}
	if b.AfterFailures != nil {
		r.AfterFailures = *b.AfterFailures
	}
	for _, d := range []struct {
		pointer string
		text    *oas.Duration
		into    *workflow.Duration
	}{{"/start_within", b.StartWithin, &r.StartWithin}, {"/finish_within", b.FinishWithin, &r.FinishWithin}, {"/repeat", b.Repeat, &r.Repeat}} {
		parsed, err := durationOf(d.pointer, d.text)
		if err != nil {
			return r, err
		}
		if parsed != nil {
			*d.into = workflow.Duration(*parsed)
		}
	}
	if b.Language != nil {
		r.Language = string(*b.Language)
	}
	r.Timezone = textOr(b.Timezone)
	if b.Quiet != nil {
		r.Quiet = &alert.Quiet{From: b.Quiet.From, To: b.Quiet.To, Drop: b.Quiet.Drop != nil && *b.Quiet.Drop}
		for _, day := range b.Quiet.Days {
			r.Quiet.Days = append(r.Quiet.Days, string(day))
		}
	}
	return r, nil
}

func ruleOf(r postgres.RuleRow) oas.Rule {
	out := oas.Rule{
		Id: r.ID, ProjectId: r.ProjectID, Name: r.Spec.Name, Enabled: r.Spec.Enabled, AfterFailures: r.Spec.AfterFailures, Channels: r.Spec.Channels,
		Repeat: r.Spec.Repeat.String(), Language: oas.AlertLanguage(r.Spec.Language), Timezone: r.Spec.Timezone, Workflows: r.Spec.Workflows,
		StartWithin: withinOf(r.Spec.StartWithin), FinishWithin: withinOf(r.Spec.FinishWithin),
		CreatedAt: wire.At(r.CreatedAt), UpdatedAt: wire.At(r.UpdatedAt), On: []oas.RuleOn{},
	}
	if out.Workflows == nil {
		out.Workflows = []uuid.UUID{}
	}
	for _, kind := range r.Spec.On {
		out.On = append(out.On, oas.RuleOn(kind))
	}
	if q := r.Spec.Quiet; q != nil {
		out.Quiet = &oas.Quiet{From: q.From, To: q.To, Drop: &q.Drop}
		for _, day := range q.Days {
			out.Quiet.Days = append(out.Quiet.Days, oas.QuietDays(day))
		}
	}
	return out
}

func withinOf(d workflow.Duration) *oas.Duration {
	if time.Duration(d) == 0 {
		return nil
	}
	text := d.String()
	return &text
}
