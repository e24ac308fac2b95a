package dispatch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
)

// pacedLife is how long it is remembered which projects have a quota of runs: one that is given one, or another, notices it
// within this time. It spares all others the question.
const pacedLife = 5 * time.Second

// paced remembers which projects have a quota of runs.
type paced struct {
	mu    sync.Mutex
	ids   map[uuid.UUID]bool
	until time.Time
}

// Allowance is how many runs a project may still start now. Those of nil have no limit.
type Allowance struct {
	left   int
	most   int
	refuse *fault.Error
}

// Take uses it for one run, or says why there is none.
func (a *Allowance) Take() *fault.Error {
	if a == nil {
		return nil
	}
	if a.left <= 0 {
		return a.refuse
	}
	a.left--
	return nil
}

// Left is how many of n runs may start.
func (a *Allowance) Left(n int) int {
	if a == nil {
		return n
	}
	return max(min(a.left, n), 0)
}

// Allowances finds out how many runs each of the projects may still start within this minute, and keeps others from starting
// any until the transaction ends. Projects without a quota cost nothing, and are not in the answer.
func (s *Service) Allowances(ctx context.Context, q postgres.Querier, projects []uuid.UUID) (map[uuid.UUID]*Allowance, error) {
	ids, err := s.pacedOf(ctx, q, projects)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	quotas := postgres.Quotas{Q: q}
	if err := quotas.Wait(ctx, ids); err != nil {
		return nil, err
	}
	own, err := quotas.Own(ctx, ids)
	if err != nil {
		return nil, err
	}
	most := make([]int, len(ids))
	for i, id := range ids {
		if most[i] = s.Quota.With(own[id]).RunsPerMinute; most[i] == 0 {
			most[i] = quota.Most
		}
	}
	paces, err := quotas.Paces(ctx, ids, most)
	if err != nil {
		return nil, err
	}
	allowed := make(map[uuid.UUID]*Allowance, len(paces))
	for _, p := range paces {
		n := most[slices.Index(ids, p.ProjectID)]
		refuse := fault.New(fault.RateLimited, postgres.CodeQuotaRuns, "The project has used up its quota of runs within a minute (%d); try again in %d s",
			n, (p.Wait()+time.Second-1)/time.Second)
		refuse.RetryAfter = p.Wait()
		allowed[p.ProjectID] = &Allowance{left: n - p.Started, most: n, refuse: refuse}
	}
	return allowed, nil
}

// pacedOf picks the projects that may have a quota of runs, each once.
func (s *Service) pacedOf(ctx context.Context, q postgres.Querier, projects []uuid.UUID) ([]uuid.UUID, error) {
	limited, err := s.pacedNow(ctx, q)
	if err != nil || len(limited) == 0 && s.Quota.RunsPerMinute == 0 {
		return nil, err
	}
	var picked []uuid.UUID
	for _, id := range projects {
		if (s.Quota.RunsPerMinute > 0 || limited[id]) && !slices.Contains(picked, id) {
			picked = append(picked, id)
		}
	}
	return picked, nil
}

// pacedNow are the projects of which something was decided. Nobody waits here for another who asks the database: they may
// have the connection that the other waits for.
func (s *Service) pacedNow(ctx context.Context, q postgres.Querier) (map[uuid.UUID]bool, error) {
	k := &s.paced
	now := s.clock.Now()
	k.mu.Lock()
	if k.ids != nil {
		if now.Before(k.until) {
			defer k.mu.Unlock()
			return k.ids, nil
		}
		k.until = now.Add(time.Second) // this one asks, and the others believe meanwhile what was
	}
	k.mu.Unlock()
	list, err := postgres.Quotas{Q: q}.Paced(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[uuid.UUID]bool, len(list))
	for _, id := range list {
		ids[id] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ids, k.until = ids, now.Add(pacedLife)
	return ids, nil
}

// insertion is what became of a run that somebody asked for: made is nil when its Current does not hold.
type insertion struct {
	made    *postgres.Inserted
	refused *fault.Error
}

// insert makes runs that arrived together, as far as their projects' quotas let them.
func (s *Service) insert(ctx context.Context, runs []postgres.NewRun) ([]insertion, error) {
	projects := projectsOf(runs)
	limited, err := s.pacedOf(ctx, s.db, projects)
	if err != nil {
		return nil, err
	}
	done := make([]insertion, len(runs))
	if len(limited) == 0 { // one statement is its own transaction
		return done, s.insertInto(ctx, s.db, runs, done)
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		clear(done)
		allowed, err := s.Allowances(ctx, q, limited)
		if err != nil {
			return err
		}
		var may []postgres.NewRun
		for i, r := range runs {
			if done[i].refused = allowed[r.ProjectID].Take(); done[i].refused == nil {
				may = append(may, r)
			}
		}
		return s.insertInto(ctx, q, may, done, runs...)
	})
	return done, err
}

// insertInto makes runs, and notes which were made at the places that they have among all.
func (s *Service) insertInto(ctx context.Context, q postgres.Querier, runs []postgres.NewRun, done []insertion, all ...postgres.NewRun) error {
	if all == nil {
		all = runs
	}
	if len(runs) == 0 {
		return nil
	}
	inserted, err := postgres.Runs{Q: q}.Insert(ctx, runs, s.queue.Room(ctx))
	if err != nil {
		return err
	}
	byID := make(map[uuid.UUID]*postgres.Inserted, len(inserted))
	for _, i := range inserted {
		byID[i.ID] = &i
	}
	for i, r := range all {
		done[i].made = byID[r.ID]
	}
	return nil
}

func projectsOf(runs []postgres.NewRun) []uuid.UUID {
	ids := make([]uuid.UUID, len(runs))
	for i, r := range runs {
		ids[i] = r.ProjectID
	}
	return ids
}

// roomForWorkflow refuses one more workflow of a project that has as many as it may. It needs a transaction.
func (s *Service) roomForWorkflow(ctx context.Context, q postgres.Querier, project uuid.UUID) error {
	quotas := postgres.Quotas{Q: q}
	own, err := quotas.Own(ctx, []uuid.UUID{project})
	if err != nil {
		return err
	}
	most := s.Quota.With(own[project]).Workflows
	if most == 0 {
		return nil
	}
	if err := quotas.Wait(ctx, []uuid.UUID{project}); err != nil {
		return err
	}
	n, err := quotas.Workflows(ctx, project)
	if err != nil {
		return err
	}
	if n >= most {
		return fault.New(fault.Conflict, "workflow_quota", "The project has %d workflows, and may have %d; delete one, or ask an administrator for more", n, most)
	}
	return nil
}

// Reason says why nothing is left, for the ledger: the same of each fire, so that they share a row.
func (a *Allowance) Reason() string {
	return fmt.Sprintf("the project had used up its quota of runs within a minute (%d)", a.most)
}
