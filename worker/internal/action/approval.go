package action

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Approvals asks people. Which step of which run asks, the Call says.
type Approvals interface {
	// Ask asks, unless the step did before, and answers how the question stands. wait is how long an answer is waited for; zero
	// for as long as it takes.
	Ask(ctx context.Context, call Call, message string, wait time.Duration) (Approval, error)
}

// Approval is a question to people.
type Approval struct {
	ID        uuid.UUID
	Message   string
	Decision  string // pending, approved, rejected, expired
	ExpiresAt time.Time
	By, Note  string
	At        time.Time
}

// approval holds the run until a person has decided.
type approval struct{ approvals Approvals }

// Leaves implements Action.
func (approval) Leaves() bool { return false }

// Prepare implements Action.
func (a approval) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.ApprovalConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	message, err := expr.ParseTemplate(c.Message)
	if err != nil {
		return nil, fmt.Errorf("parse message: %w", err)
	}
	return approvalRunner{approvals: a.approvals, message: message, wait: time.Duration(c.Timeout), silence: c.OnTimeout}, nil
}

type approvalRunner struct {
	approvals Approvals
	message   *expr.Template
	wait      time.Duration
	silence   string
}

// FailureRejected is the class of an approval step that was not approved.
const FailureRejected = "rejected"

// Run implements Runner.
func (r approvalRunner) Run(ctx context.Context, call Call) Result {
	message, err := evalText(ctx, r.message, call.Env)
	if err != nil {
		return failed(run.FailureConfig, "message: %s", err)
	}
	if call.Trial {
		return Result{Output: map[string]any{"decision": "pending", "message": call.Secrets.Hide(message)}}
	}
	a, err := r.approvals.Ask(ctx, call, call.Secrets.Hide(message), r.wait)
	if err != nil { // the database is away: the question, if it was asked, stands
		return Result{Pause: &Pause{Until: call.Now.Add(lookAgain), Why: "waits for approval: " + firstLine(call.Secrets.Hide(message))}}
	}
	output := map[string]any{"approval_id": a.ID, "message": a.Message, "decision": a.Decision}
	if a.Decision == "pending" {
		return Result{Pause: &Pause{Person: true, Until: a.ExpiresAt, Why: "waits for approval: " + firstLine(a.Message), Left: output}}
	}
	if a.By != "" {
		output["by"] = a.By
	}
	if a.Note != "" {
		output["note"] = a.Note
	}
	output["at"] = a.At.UTC().Format(time.RFC3339Nano)
	return r.decided(call, a, output)
}

func (r approvalRunner) decided(call Call, a Approval, output map[string]any) Result {
	note := ""
	if a.Note != "" {
		note = ": " + a.Note
	}
	switch {
	case a.Decision == "approved":
		call.Log("info", "approved by "+a.By+note)
		return Result{Output: output}
	case a.Decision == "expired" && r.silence == workflow.OnTimeoutApprove:
		call.Log("info", "nobody answered in time, which means that it is approved")
		return Result{Output: output}
	case a.Decision == "expired":
		result := failed(FailureRejected, "nobody answered in time")
		result.Output = output
		return result
	}
	result := failed(FailureRejected, "rejected by %s%s", a.By, note)
	result.Output = output
	return result
}

func firstLine(text string) string {
	for i, r := range text {
		if r == '\n' || i > 120 {
			return text[:i] + "…"
		}
	}
	return text
}
