package worker

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/batch"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// rulesLife is how long the rules of a project are believed. A change counts from the next attempt that begins after it.
const rulesLife = 5 * time.Second

// mostRules bounds how many projects' rules are remembered.
const mostRules = 10_000

// outgoing knows the rules that hold for the calls of each project.
type outgoing struct {
	clock clock.Clock
	reads *batch.Batcher[uuid.UUID, egress.Rules]

	mu    sync.Mutex
	known map[uuid.UUID]knownRules
}

type knownRules struct {
	egress.Rules
	until time.Time
}

func newOutgoing(db *postgres.DB, clk clock.Clock) *outgoing {
	o := &outgoing{clock: clk, known: map[uuid.UUID]knownRules{}}
	o.reads = batch.New(vaultBatch, func(ctx context.Context, projects []uuid.UUID) ([]egress.Rules, error) {
		found, err := postgres.Projects{Q: db}.EgressRules(ctx, projects)
		rules := make([]egress.Rules, len(projects))
		for i, id := range projects {
			rules[i] = egress.Rules{Allow: found[id].Allow, Only: found[id].Only}
		}
		return rules, err
	})
	return o
}

// under makes the calls that are made within the context obey the project's rules.
func (o *outgoing) under(ctx context.Context, project uuid.UUID) (context.Context, error) {
	now := o.clock.Now()
	o.mu.Lock()
	known, ok := o.known[project]
	o.mu.Unlock()
	if !ok || !now.Before(known.until) {
		rules, err := o.reads.Do(ctx, project)
		if err != nil {
			return nil, err
		}
		known = knownRules{Rules: rules, until: now.Add(rulesLife)}
		o.mu.Lock()
		if len(o.known) >= mostRules {
			clear(o.known)
		}
		o.known[project] = known
		o.mu.Unlock()
	}
	return egress.Under(ctx, known.Rules), nil
}

// underRules are the rules of the run's project, which the attempt that begins now obeys.
func (d *drive) underRules(ctx context.Context) (under context.Context, err error) {
	var rules egress.Rules
	err = d.w.insist(ctx, func(bounded context.Context) error {
		read, err := d.w.outgoing.under(bounded, d.claimed.ProjectID)
		if err == nil {
			rules, _ = egress.RulesOf(read)
		}
		return err
	})
	return egress.Under(ctx, rules), err
}

// errNoRules is a call of which nobody said whose it is: it is not made.
var errNoRules = errors.New("no rules were given for a call that leaves")

// ruled makes sure that no call leaves without its project's rules.
type ruled struct{ action.Network }

// Do implements action.HTTPClient.
func (r ruled) Do(ctx context.Context, req egress.Request) (*egress.Response, error) {
	if _, ok := egress.RulesOf(ctx); !ok {
		return nil, errNoRules
	}
	return r.Network.Do(ctx, req)
}

// Dial implements mail.Network.
func (r ruled) Dial(ctx context.Context, address string) (net.Conn, error) {
	if _, ok := egress.RulesOf(ctx); !ok {
		return nil, errNoRules
	}
	return r.Network.Dial(ctx, address)
}
