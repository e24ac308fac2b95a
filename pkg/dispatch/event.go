package dispatch

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// planEvent makes the row of a trigger that waits for an event. Only a heartbeat is looked at by the clock.
func planEvent(t, old postgres.TriggerRow, now time.Time) postgres.TriggerRow {
	t.NextFireAt, t.DueAt, t.AfterWorkflow = nil, nil, nil
	if t.Spec.Type != workflow.TriggerHeartbeat || !t.Enabled {
		return t
	}
	t.DueAt = old.DueAt
	if t.DueAt == nil || arms(t, old) {
		t.DueAt = &now
	}
	return t
}

// arms tells whether a heartbeat's pings are expected from now on, whatever was before.
func arms(t, old postgres.TriggerRow) bool {
	if t.Spec.Type != workflow.TriggerHeartbeat || !t.Enabled {
		return false
	}
	a, b := t.Spec, old.Spec
	return !old.Enabled || old.RemovedAt != nil || a.Type != b.Type || a.Every != b.Every || a.Cron != b.Cron ||
		a.Timezone != b.Timezone || a.Grace != b.Grace
}

// open gives a trigger that was saved its address, and begins to expect its pings.
func (p *planning) open(ctx context.Context, t, old postgres.TriggerRow) error {
	if t.Spec.HasAddress() {
		if err := (postgres.Addresses{Q: p}).Give(ctx, t.ID, newToken()); err != nil {
			return err
		}
	}
	if arms(t, old) {
		return postgres.Heartbeats{Q: p}.Arm(ctx, t.ID)
	}
	return nil
}

// newToken makes the part of an address that nobody can guess: 160 bits.
func newToken() string {
	raw := make([]byte, 20)
	_, _ = rand.Read(raw) // it never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))
}

// MaxKeepOld is how long the old address of a trigger may work besides its new one.
const MaxKeepOld = 7 * 24 * time.Hour

// Rotate gives a trigger another address; the old one works for keep longer. Errors: not found; a trigger without an address.
func (s *Service) Rotate(ctx context.Context, who account.Principal, workflowID uuid.UUID, key string, keep time.Duration) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.Workflows{Q: q}.Lock(ctx, who.Where(account.WorkflowWrite), workflowID)
		if err != nil {
			return err
		}
		t, err := postgres.Triggers{Q: q}.Find(ctx, workflowID, key)
		if err != nil {
			return err
		}
		if t.RemovedAt != nil {
			return postgres.ErrNotFound
		}
		if !t.Spec.HasAddress() {
			return fault.New(fault.Conflict, "no_address", "A trigger of the type %s has no address", t.Spec.Type)
		}
		if err := (postgres.Addresses{Q: q}).Rotate(ctx, t.ID, newToken(), keep); err != nil {
			return err
		}
		c := aboutWorkflow(audit.WebhookRotate, row)
		c.After = audit.Data{"trigger": key, "old_address_works_for": keep.String()}
		return postgres.Note(ctx, q, c)
	})
}

// chains are which workflows of a project run after which.
type chains struct {
	after map[uuid.UUID][]uuid.UUID // what each waits for
	then  map[uuid.UUID][]uuid.UUID // what waits for each
	names map[uuid.UUID]string
}

// follow finds the workflow that a trigger waits for, and refuses one that waits for this one, however indirectly.
func (p *planning) follow(ctx context.Context, t *postgres.TriggerRow, old postgres.TriggerRow) error {
	if t.Spec.Type != workflow.TriggerAfter {
		t.AfterWorkflow = nil
		return nil
	}
	first, err := p.first(ctx, t.Spec.Workflow, old)
	if err != nil {
		return err
	}
	if first == p.row.ID {
		return fault.At("/workflow", "cycle", "a workflow cannot run after itself")
	}
	if p.chains == nil {
		list, err := postgres.Triggers{Q: p}.LockChains(ctx, p.row.ProjectID)
		if err != nil {
			return err
		}
		p.chains = newChains(list)
	}
	if ring := p.chains.path(first, p.row.ID, nil); ring != nil {
		names := []string{p.row.Definition.Name}
		for _, id := range ring[:len(ring)-1] {
			names = append(names, p.chains.names[id])
		}
		return fault.At("/workflow", "cycle", "these workflows would run after each other for ever: %s → %s",
			p.row.Definition.Name, strings.Join(reversed(names), " → "))
	}
	n := longest(first, p.chains.after, map[uuid.UUID]int{}) + 1 + longest(p.row.ID, p.chains.then, map[uuid.UUID]int{})
	if n > workflow.MaxChain {
		return fault.At("/workflow", "chain_too_long", "%d workflows would run one after the other: at most %d may", n+1, workflow.MaxChain+1)
	}
	t.AfterWorkflow = &first
	return nil
}

// first finds the workflow that a trigger names. A name that was found once stays with its workflow when that is renamed.
func (p *planning) first(ctx context.Context, name string, old postgres.TriggerRow) (uuid.UUID, error) {
	found, err := postgres.Workflows{Q: p}.Named(ctx, p.row.ProjectID, name)
	if err != nil {
		return uuid.UUID{}, err
	}
	known := old.AfterWorkflow != nil && old.Spec.Workflow == name
	switch {
	case known && (len(found) == 0 || slices.ContainsFunc(found, func(h postgres.Head) bool { return h.ID == *old.AfterWorkflow })):
		return *old.AfterWorkflow, nil
	case len(found) == 0:
		return uuid.UUID{}, fault.At("/workflow", "unknown_workflow", "the project has no workflow %q", name)
	}
	for _, h := range found {
		if strings.EqualFold(h.ID.String(), name) {
			return h.ID, nil
		}
	}
	if len(found) > 1 {
		return uuid.UUID{}, fault.At("/workflow", "ambiguous", "the project has several workflows %q: write the id of one of them", name)
	}
	return found[0].ID, nil
}

func newChains(list []postgres.Chain) *chains {
	c := &chains{after: map[uuid.UUID][]uuid.UUID{}, then: map[uuid.UUID][]uuid.UUID{}, names: map[uuid.UUID]string{}}
	for _, one := range list {
		c.after[one.WorkflowID] = append(c.after[one.WorkflowID], one.After)
		c.then[one.After] = append(c.then[one.After], one.WorkflowID)
		c.names[one.WorkflowID], c.names[one.After] = one.Name, one.AfterName
	}
	return c
}

// path leads from a workflow to one that it waits for, however indirectly; nil when it does not.
func (c *chains) path(from, to uuid.UUID, seen map[uuid.UUID]bool) []uuid.UUID {
	if from == to {
		return []uuid.UUID{to}
	}
	if seen == nil {
		seen = map[uuid.UUID]bool{}
	}
	if seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range c.after[from] {
		if rest := c.path(next, to, seen); rest != nil {
			return append([]uuid.UUID{from}, rest...)
		}
	}
	return nil
}

// longest is the length of the longest way from a workflow along edges, counted up to more than is allowed.
func longest(from uuid.UUID, edges map[uuid.UUID][]uuid.UUID, known map[uuid.UUID]int) int {
	if n, ok := known[from]; ok {
		return n
	}
	known[from] = 0 // a ring, which cannot be, would end here
	n := 0
	for _, next := range edges[from] {
		n = max(n, 1+longest(next, edges, known))
	}
	known[from] = n
	return n
}

func reversed(names []string) []string {
	slices.Reverse(names)
	return names
}
