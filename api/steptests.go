package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// longestTest is how long the attempt of a test may take at most: somebody waits for it.
const longestTest = 60 * time.Second

// TestStep implements the contract.
func (s *server) TestStep(ctx context.Context, req oas.TestStepRequestObject) (oas.TestStepResponseObject, error) {
	who := httpx.Principal(ctx)
	fresh, err := s.newTest(ctx, who, *req.Body)
	if err != nil {
		return nil, err
	}
	if fresh.WorkflowID != nil {
		row, err := postgres.Workflows{Q: s.db}.Get(ctx, []uuid.UUID{fresh.ProjectID}, *fresh.WorkflowID)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.At("/workflow_id", "unknown_value", "the project has no such workflow")
		}
		if err != nil {
			return nil, err
		}
		fresh.WorkflowID = &row.ID
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error { return postgres.StepTests{Q: q}.Insert(ctx, fresh) })
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "step test asked for", "test", fresh.ID, "user", who.User.ID, "project", fresh.ProjectID)
	test, err := s.stepTest(ctx, fresh.ID)
	location := httpx.Prefix + "/step-tests/" + fresh.ID.String()
	return oas.TestStep202JSONResponse{Body: test, Headers: oas.TestStep202ResponseHeaders{Location: &location}}, err
}

// GetStepTest implements the contract.
func (s *server) GetStepTest(ctx context.Context, req oas.GetStepTestRequestObject) (oas.GetStepTestResponseObject, error) {
	test, err := s.stepTest(ctx, req.Id)
	return oas.GetStepTest200JSONResponse(test), err
}

// newTest reads what is to be tried. Besides writing workflows it takes the permission to start runs.
func (s *server) newTest(ctx context.Context, who account.Principal, in oas.StepTestInput) (postgres.NewStepTest, error) {
	project, err := projectOr(who, in.ProjectId)
	if err != nil {
		return postgres.NewStepTest{}, err
	}
	if err := errors.Join(who.May(account.WorkflowWrite, project), who.May(account.RunStart, project)); err != nil {
		return postgres.NewStepTest{}, err
	}
	step, err := s.testedStep(ctx, project, in)
	if err != nil {
		return postgres.NewStepTest{}, err
	}
	fresh := postgres.NewStepTest{
		ID: uuid.New(), ProjectID: project, WorkflowID: in.WorkflowId, CreatedBy: who.User.ID,
		Limit: max(time.Second, min(step.AttemptTimeout().Round(time.Second), longestTest)),
	}
	if fresh.Step, err = json.Marshal(step); err != nil {
		return fresh, fmt.Errorf("encode the step: %w", err)
	}
	if fresh.Inputs, err = sample("/inputs", in.Inputs); err != nil {
		return fresh, err
	}
	if in.Steps != nil {
		fresh.Outputs, err = sample("/steps", *in.Steps)
	}
	return fresh, err
}

// sample writes down what templates see.
func sample(pointer string, v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode the sample: %w", err)
	}
	if len(raw) > workflow.MaxInputs {
		return nil, fault.At(pointer, "too_large", "the sample is larger than 256 KiB")
	}
	if string(raw) == "null" {
		return nil, nil
	}
	return raw, nil
}

// testedStep checks the step as part of a workflow in which the steps with samples come before it.
func (s *server) testedStep(ctx context.Context, project uuid.UUID, in oas.StepTestInput) (workflow.Step, error) {
	message := map[string]any{"message": "sample"}
	var before []string
	if in.Steps != nil {
		for id := range *in.Steps {
			if id != in.Step.Id {
				before = append(before, id)
			}
		}
	}
	slices.Sort(before)
	step := in.Step
	step.DependsOn = &before
	whole := oas.WorkflowInput{Name: "test", Steps: []oas.Step{step}}
	for _, id := range before {
		whole.Steps = append(whole.Steps, oas.Step{Id: id, Action: workflow.ActionLog, Config: &message})
	}
	def, err := definitionOf(whole)
	if err == nil {
		err = s.dispatch.Check(def)
	}
	if err == nil {
		err = s.dispatch.CheckUses(ctx, project, def)
	}
	if err != nil {
		return workflow.Step{}, ofStep(err, before)
	}
	tested := def.Steps[0]
	tested.DependsOn = nil
	return tested, nil
}

// ofStep lets the pointers of a fault point into the request of a test.
func ofStep(err error, before []string) error {
	f, ok := fault.Of(err)
	if !ok {
		return err
	}
	moved := *f
	moved.Fields = slices.Clone(f.Fields)
	for i, field := range moved.Fields {
		if rest, ok := strings.CutPrefix(field.Pointer, "/steps/0"); ok && (rest == "" || rest[0] == '/') {
			moved.Fields[i].Pointer = "/step" + rest
			continue
		}
		moved.Fields[i].Pointer = "/steps"
		var at int
		if n, _ := fmt.Sscanf(field.Pointer, "/steps/%d", &at); n == 1 && at > 0 && at <= len(before) {
			moved.Fields[i].Pointer = "/steps/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(before[at-1])
		}
	}
	return &moved
}

func (s *server) stepTest(ctx context.Context, id uuid.UUID) (oas.StepTest, error) {
	row, err := postgres.StepTests{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.WorkflowWrite), id)
	if err != nil {
		return oas.StepTest{}, err
	}
	out := oas.StepTest{
		Id: row.ID, ProjectId: row.ProjectID, WorkflowId: row.WorkflowID, Status: oas.StepTestStatus(row.Status),
		Error: row.Error, Class: row.Class, CreatedAt: wire.At(row.CreatedAt), StartedAt: wire.Maybe(row.StartedAt),
		FinishedAt: wire.Maybe(row.FinishedAt), Logs: []oas.TestLine{},
	}
	if row.CreatedBy != nil {
		out.CreatedBy = *row.CreatedBy
	}
	if err := recode(row.Step, &out.Step); err != nil {
		return out, err
	}
	if len(row.Output) > 0 {
		if err := recode(row.Output, &out.Output); err != nil {
			return out, err
		}
	}
	return out, recode(row.Logs, &out.Logs)
}
