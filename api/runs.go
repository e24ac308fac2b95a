package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

const defaultLogLimit = 200

// StartRun implements the contract.
func (s *server) StartRun(ctx context.Context, req oas.StartRunRequestObject) (oas.StartRunResponseObject, error) {
	var inputs map[string]any
	if req.Body != nil && req.Body.Inputs != nil {
		inputs = *req.Body.Inputs
	}
	row, err := s.dispatch.Start(ctx, httpx.Principal(ctx), req.Id, inputs, keyOf(req.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	accepted, err := s.accepted(ctx, row)
	return oas.StartRun202JSONResponse{RunAcceptedJSONResponse: accepted}, err
}

// CancelRun implements the contract.
func (s *server) CancelRun(ctx context.Context, req oas.CancelRunRequestObject) (oas.CancelRunResponseObject, error) {
	row, err := s.dispatch.Cancel(ctx, httpx.Principal(ctx), req.Id)
	if err != nil {
		return nil, err
	}
	accepted, err := s.accepted(ctx, row)
	return oas.CancelRun202JSONResponse{RunAcceptedJSONResponse: accepted}, err
}

// RerunRun implements the contract.
func (s *server) RerunRun(ctx context.Context, req oas.RerunRunRequestObject) (oas.RerunRunResponseObject, error) {
	how := dispatch.Rerun{Key: keyOf(req.Params.IdempotencyKey)}
	if b := req.Body; b != nil {
		if b.From != nil {
			how.From = *b.From
		}
		how.Current = b.Version != nil && *b.Version == oas.RerunVersionCurrent
		if b.Inputs != nil {
			how.Inputs = *b.Inputs
		}
	}
	row, err := s.dispatch.Rerun(ctx, httpx.Principal(ctx), req.Id, how)
	if err != nil {
		return nil, err
	}
	accepted, err := s.accepted(ctx, row)
	return oas.RerunRun202JSONResponse{RunAcceptedJSONResponse: accepted}, err
}

func keyOf(key *string) string {
	if key == nil {
		return ""
	}
	return *key
}

func (s *server) accepted(ctx context.Context, row postgres.RunRow) (oas.RunAcceptedJSONResponse, error) {
	r, err := s.runs.whole(ctx, row)
	location := httpx.Prefix + "/runs/" + row.ID.String()
	return oas.RunAcceptedJSONResponse{Body: r, Headers: oas.RunAcceptedResponseHeaders{Location: &location}}, err
}

// ListRuns implements the contract.
func (s *server) ListRuns(ctx context.Context, req oas.ListRunsRequestObject) (oas.ListRunsResponseObject, error) {
	p := req.Params
	before, err := idCursor(p.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(p.Limit)
	where, err := projects(ctx, account.RunRead, p.ProjectId)
	if err != nil {
		return nil, err
	}
	filter := postgres.RunFilter{
		Projects: where, WorkflowID: p.WorkflowId, From: p.From.Pointer(),
		To: p.To.Pointer(), Before: before, Limit: limit + 1,
	}
	if p.Trigger != nil {
		filter.Trigger = run.Trigger(*p.Trigger)
	}
	if p.Drafts != nil {
		filter.Drafts = map[oas.ListRunsParamsDrafts]postgres.Drafting{oas.Show: postgres.WithDrafts, oas.Only: postgres.OnlyDrafts}[*p.Drafts]
	}
	if filter.MinDuration, err = durationOf("min_duration", p.MinDuration); err != nil {
		return nil, err
	}
	if filter.MaxDuration, err = durationOf("max_duration", p.MaxDuration); err != nil {
		return nil, err
	}
	if p.Status != nil {
		for _, status := range *p.Status {
			filter.Statuses = append(filter.Statuses, run.Status(status))
		}
	}
	rows, err := postgres.Runs{Q: s.db}.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.RunRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListRuns200JSONResponse{Items: make([]oas.RunSummary, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = summary(r)
	}
	return page, nil
}

// durationOf reads a duration from the query; nil when it is absent.
func durationOf(name string, text *oas.Duration) (*time.Duration, error) {
	if text == nil {
		return nil, nil
	}
	parsed, err := workflow.ParseDuration(*text)
	if err != nil {
		return nil, fault.At(name, "duration", "%s", err)
	}
	d := time.Duration(parsed)
	return &d, nil
}

// GetRun implements the contract.
func (s *server) GetRun(ctx context.Context, req oas.GetRunRequestObject) (oas.GetRunResponseObject, error) {
	row, err := postgres.Runs{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.RunRead), req.Id)
	if err != nil {
		return nil, err
	}
	r, err := s.runs.whole(ctx, row)
	return oas.GetRun200JSONResponse(r), err
}

// ListLogs implements the contract.
func (s *server) ListLogs(ctx context.Context, req oas.ListLogsRequestObject) (oas.ListLogsResponseObject, error) {
	runs := postgres.Runs{Q: s.db}
	if _, err := runs.Get(ctx, httpx.Principal(ctx).Where(account.RunRead), req.Id); err != nil {
		return nil, err
	}
	limit, after, step := defaultLogLimit, 0, ""
	if req.Params.Limit != nil {
		limit = int(*req.Params.Limit)
	}
	if req.Params.After != nil {
		after = int(min(*req.Params.After, 1<<31-1))
	}
	if req.Params.Step != nil {
		step = *req.Params.Step
	}
	lines, err := runs.Logs(ctx, req.Id, step, after, limit+1)
	if err != nil {
		return nil, err
	}
	lines, cursor := next(lines, limit, func(l postgres.LogRow) *string {
		seq := strconv.Itoa(l.Seq)
		return &seq
	})
	return oas.ListLogs200JSONResponse{Items: logLines(lines), NextCursor: cursor}, nil
}

func logLines(lines []postgres.LogRow) []oas.LogLine {
	items := make([]oas.LogLine, len(lines))
	for i, l := range lines {
		items[i] = oas.LogLine{
			Seq: int64(l.Seq), At: wire.At(l.At), Step: l.Step, Attempt: int32(l.Attempt), //nolint:gosec // a count of tries
			Level: oas.LogLineLevel(l.Level), Message: l.Message,
		}
	}
	return items
}

func summary(r postgres.RunRow) oas.RunSummary {
	return oas.RunSummary{
		Id: r.ID, ProjectId: r.ProjectID, WorkflowId: r.WorkflowID, WorkflowName: r.WorkflowName,
		Version: int32(r.Version), //nolint:gosec // counts saves
		Draft:   r.Version < 0,
		Status:  oas.RunStatus(r.Status), Reason: r.Reason, CancelRequestedAt: wire.Maybe(r.CancelAt), Trigger: oas.RunTrigger(r.Trigger), TriggerId: r.TriggerKey,
		FireAt: wire.Maybe(r.FireAt), RerunOf: r.RerunOf, Cause: r.Cause, CreatedAt: wire.At(r.CreatedAt), StartedAt: wire.Maybe(r.StartedAt),
		FinishedAt: wire.Maybe(r.FinishedAt),
	}
}

// runView shows runs as the API does.
type runView struct {
	db       *postgres.DB
	versions *versions
}

// whole shows a run with its steps: those of the version that it runs, in their order, with the attempts that were made.
func (v runView) whole(ctx context.Context, row postgres.RunRow) (oas.Run, error) {
	sum := summary(row)
	r := oas.Run{
		Id: sum.Id, ProjectId: sum.ProjectId, WorkflowId: sum.WorkflowId, WorkflowName: sum.WorkflowName, Version: sum.Version, Draft: sum.Draft,
		Status: sum.Status, Reason: sum.Reason, CancelRequestedAt: sum.CancelRequestedAt, Trigger: sum.Trigger, TriggerId: sum.TriggerId, FireAt: sum.FireAt,
		RerunOf: sum.RerunOf, Cause: sum.Cause, CreatedAt: sum.CreatedAt, StartedAt: sum.StartedAt, FinishedAt: sum.FinishedAt,
		ParentId: row.ParentID, Inputs: map[string]any{}, Steps: []oas.StepRun{},
	}
	if len(row.Output) > 0 {
		r.Output = &map[string]any{}
		if err := httpx.DecodeJSON(row.Output, r.Output); err != nil {
			return r, fmt.Errorf("read output of run %s: %w", row.ID, err)
		}
	}
	if len(row.Inputs) > 0 {
		if err := httpx.DecodeJSON(row.Inputs, &r.Inputs); err != nil {
			return r, fmt.Errorf("read inputs of run %s: %w", row.ID, err)
		}
	}
	steps, err := v.versions.stepsOf(ctx, row.WorkflowID, row.Version)
	if err != nil {
		return r, err
	}
	attempts := map[string][]postgres.StepRow{}
	// A run that was just made has none.
	if row.Status != run.Queued || row.StartedAt != nil || row.RerunOf != nil {
		made, err := postgres.Runs{Q: v.db}.Steps(ctx, row.ID)
		if err != nil {
			return r, err
		}
		for _, step := range made {
			attempts[step.Step] = append(attempts[step.Step], step)
		}
	}
	for _, def := range steps {
		step, err := stepRun(def, attempts[def.ID])
		if err != nil {
			return r, fmt.Errorf("show run %s: %w", row.ID, err)
		}
		if step.Status == oas.StepStatusQueued && row.Status.Finished() {
			step.Status = oas.StepStatusSkipped // the run ended before its turn, so it waits for nothing
			if row.Status == run.Cancelled {
				step.Status = oas.StepStatusCancelled
			}
		}
		r.Steps = append(r.Steps, step)
	}
	return r, nil
}

func stepRun(def workflow.Step, rows []postgres.StepRow) (oas.StepRun, error) {
	out := oas.StepRun{
		Id: def.ID, Name: def.Title(), Action: def.Action, Status: oas.StepStatusQueued, Attempts: []oas.Attempt{},
		DependsOn: def.DependsOn,
	}
	if out.DependsOn == nil {
		out.DependsOn = []string{}
	}
	slices.SortFunc(rows, func(a, b postgres.StepRow) int { return cmp.Compare(order(a), order(b)) })
	for _, row := range rows {
		out.Status, out.Error, out.FinishedAt, out.NextAttemptAt = oas.StepStatus(row.Status), row.Error, wire.Maybe(row.FinishedAt), nil
		out.Output = nil
		if row.Status == run.Waiting {
			out.NextAttemptAt = wire.Maybe(row.NextAt)
		}
		if len(row.Output) > 0 {
			if err := httpx.DecodeJSON(row.Output, &out.Output); err != nil {
				return out, fmt.Errorf("read output of step %s: %w", def.ID, err)
			}
		}
		if row.Status == run.Failed && row.NextAt != nil {
			out.Status, out.NextAttemptAt, out.FinishedAt = oas.StepStatusWaiting, wire.Maybe(row.NextAt), nil
		}
		if row.Attempt == 0 {
			continue // it never began
		}
		if out.StartedAt == nil {
			out.StartedAt = wire.Maybe(row.StartedAt)
		}
		out.Attempts = append(out.Attempts, oas.Attempt{
			Number: int32(row.Attempt), Status: oas.StepStatus(row.Status), Error: row.Error, //nolint:gosec // a count of tries
			StartedAt: wire.Maybe(row.StartedAt), FinishedAt: wire.Maybe(row.FinishedAt),
		})
	}
	return out, nil
}

// order puts the row of a step that was closed without an attempt behind its attempts.
func order(r postgres.StepRow) int {
	if r.Attempt == 0 {
		return 1 << 30
	}
	return r.Attempt
}
