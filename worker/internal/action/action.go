// Package action holds what a step can do, one file per type, behind one interface.
package action

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Action is a type of step.
type Action interface {
	// Prepare reads a configuration once, for all runs of a version.
	Prepare(config json.RawMessage) (Runner, error)
	// Leaves tells whether an attempt reaches outside: its start is then recorded before it begins, so that a crash leaves
	// a trace of it.
	Leaves() bool
}

// Runner is a step's action, ready to run. It is used by many runs at once.
type Runner interface {
	// Run makes one attempt. It obeys ctx, whose deadline is the attempt's.
	Run(ctx context.Context, call Call) Result
}

// Outbound is a Runner that calls another host. Its request is made before the attempt begins, so that it is known where it
// goes, and that nothing was sent when it could not be made.
type Outbound interface {
	Runner
	Bind(ctx context.Context, call Call) Bound
}

// Bound is one attempt, ready to be made.
type Bound struct {
	Host string // that it goes to, as host.KeyOf says; empty when nothing will be sent
	Run  func(ctx context.Context) Result
}

// Call is what one attempt knows.
type Call struct {
	RunID   uuid.UUID
	Step    string
	Attempt int // 1 for the first
	// Failures is how many attempts failed before this one. Unlike Attempt it does not count those that lost their worker: what
	// those began is this one's to go on with.
	Failures int
	Env      expr.Env
	Secrets  *secret.Redactor // takes out what Env holds of secrets; what is cut or rewritten goes through it first
	Log      func(level, message string)
	// Again is called by an attempt that calls its host once more, before each further call: it waits for its turn. nil when
	// there is nothing to wait for.
	Again  func(ctx context.Context) error
	Paused json.RawMessage // what the attempt left when it paused; nil when it begins
	Now    time.Time       // by the database's clock
	Trial  bool            // somebody tries the step alone, outside any run

	ProjectID uuid.UUID
	Depth     int // how many runs are above the run
}

// Result is how an attempt went. Output is kept either way.
type Result struct {
	Output  any
	Failure *Failure
	Pause   *Pause // it is not over
}

// Pause says that an attempt goes on later, on any worker: when its time comes, or earlier when something happens that the
// run is nudged for. It then runs again, with what it leaves here.
type Pause struct {
	Until  time.Time // zero: whenever it is nudged; it is looked at now and then all the same
	Person bool      // a person has to do something
	Why    string    // for people: "waits until 10:00"
	Left   any       // as JSON; people see it too
}

// Failure says why an attempt did not succeed.
type Failure struct {
	Class      string // one of run.Failure… or an HTTP status
	Message    string
	RetryAfter time.Duration // what the other side asked for; zero when it did not
	Unsent     bool          // nothing can have happened: the request never left
}

func failed(class, format string, args ...any) Result {
	return Result{Failure: &Failure{Class: class, Message: fmt.Sprintf(format, args...)}}
}

// Set is the actions by type.
type Set map[string]Action

// more is what only builds for breaking things have; see panic.go.
var more Set

// New makes the set of all actions.
func New(network Network, children Children, approvals Approvals) Set {
	set := Set{
		workflow.ActionHTTP:      httpEndpoint{client: network},
		workflow.ActionLog:       logMessage{},
		workflow.ActionEmail:     email{network: network},
		workflow.ActionSlack:     slack{client: network},
		workflow.ActionDiscord:   discord{client: network},
		workflow.ActionTeams:     teams{client: network},
		workflow.ActionTelegram:  telegram{client: network},
		workflow.ActionApproval:  approval{approvals},
		workflow.ActionRun:       runWorkflow{children},
		workflow.ActionTransform: transform{},
		workflow.ActionWait:      wait{},
	}
	maps.Copy(set, more)
	return set
}
