package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// shelf is how many versions a worker keeps ready.
const shelf = 2000

// library keeps the versions of workflows that runs ask for, ready to run.
type library struct {
	db      *postgres.DB
	actions action.Set

	mu    sync.Mutex
	books map[edition]*book
}

type edition struct {
	workflow uuid.UUID
	version  int
}

// book is a version with its templates parsed. It does not change.
type book struct {
	def     workflow.Definition
	graph   workflow.Graph
	steps   []bookStep
	inputs  *workflow.Inputs // what its runs get; nil for anything
	outputs any              // the definition's, decoded; nil when it has none
}

type bookStep struct {
	runner    action.Runner
	leaves    bool
	onUnknown string          // one of workflow.Unknown…
	names     names           // of the secrets and variables that it needs
	condition *expr.Condition // nil: always
	broken    error           // why the step cannot run as it is written
}

func newLibrary(db *postgres.DB, actions action.Set) *library {
	return &library{db: db, actions: actions, books: map[edition]*book{}}
}

func (l *library) get(ctx context.Context, id uuid.UUID, version int) (*book, error) {
	key := edition{id, version}
	l.mu.Lock()
	b, ok := l.books[key]
	l.mu.Unlock()
	if ok {
		return b, nil
	}
	raw, err := postgres.Workflows{Q: l.db}.DefinitionJSON(ctx, id, version)
	if err != nil {
		return nil, err
	}
	b, err = l.open(raw)
	if err != nil {
		return nil, fmt.Errorf("read version %d of the workflow: %w", version, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.books) >= shelf {
		for old := range l.books { // any one: what is in use comes back
			delete(l.books, old)
			break
		}
	}
	l.books[key] = b
	return b, nil
}

func (l *library) open(raw json.RawMessage) (*book, error) {
	b := &book{}
	if err := json.Unmarshal(raw, &b.def); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	b.graph = workflow.NewGraph(b.def.Steps)
	b.steps = make([]bookStep, len(b.def.Steps))
	for i, s := range b.def.Steps {
		b.steps[i] = l.prepare(s)
	}
	var err error
	if b.inputs, err = workflow.ParseInputs(b.def.Inputs); err != nil {
		return nil, fmt.Errorf("read the schema of the inputs: %w", err)
	}
	if len(b.def.Outputs) > 0 {
		if b.outputs, err = outputsOf(b.def); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func outputsOf(def workflow.Definition) (any, error) {
	raw, err := json.Marshal(def.Outputs)
	if err != nil {
		return nil, fmt.Errorf("encode outputs: %w", err)
	}
	outputs, err := expr.DecodeJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("read outputs: %w", err)
	}
	return outputs, nil
}

// prepare makes a step ready. What was valid when it was saved may not be for this program, after an upgrade or a
// downgrade; then the step fails when it is reached, and says why.
func (l *library) prepare(s workflow.Step) (p bookStep) {
	a, ok := l.actions[s.Action]
	if !ok {
		p.broken = fmt.Errorf("this worker does not know the action %q", s.Action)
		return p
	}
	p.leaves, p.onUnknown, p.names = a.Leaves(), s.UnknownPolicy(), namesOf(s)
	if p.runner, p.broken = a.Prepare(s.Config); p.broken != nil {
		return p
	}
	if s.If != "" {
		p.condition, p.broken = expr.ParseCondition(s.If)
	}
	return p
}
