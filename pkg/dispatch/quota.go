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

// limitsLife is how long it is remembered which projects have a quota of runs, and which are full: one that is given a quota, or
// another, notices it within this time. It spares all others the question.
const limitsLife = 5 * time.Second

// limits remember which projects may not start as many runs as they like.
type limits struct {
	mu    sync.Mutex
	now   *limited
	until time.Time
}

// limited are the projects that may not start as many runs as they like.
type limited struct {
	paced map[uuid.UUID]bool       // those with a quota of runs
	full  map[uuid.UUID]*Allowance // those that store as much as they may
}

// Allowance is how many runs a project may still start now. Those of nil have no limit.
type Allowance struct {
	left   int
	refuse *fault.Error
	reason string
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

// Reason says why nothing is left, for the ledger: the same of each fire, so that they share a row.
func (a *Allowance) Reason() string { return a.reason }

// Allowances finds out how many runs each of the projects may still start within this minute, and keeps others from starting
// any until the transaction ends. Projects without a quota cost nothing, and are not in the answer; those that are full may
// start none, which takes no question.
func (s *Service) Allowances(ctx context.Context, q postgres.Querier, projects []uuid.UUID) (map[uuid.UUID]*Allowance, error) {
	now, err := s.limitedNow(ctx, q)
	if err != nil {
		return nil, err
	}
	allowed := map[uuid.UUID]*Allowance{}
	var paced []uuid.UUID
	for _, id := range projects {
		switch full := now.full[id]; {
		case full != nil:
			allowed[id] = full
		case s.isPaced(now, id) && !slices.Contains(paced, id):
			paced = append(paced, id)
		}
	}
	return allowed, s.pace(ctx, q, paced, allowed)
}

// pace adds how many runs the projects may still start within this minute.
func (s *Service) pace(ctx context.Context, q postgres.Querier, ids []uuid.UUID, allowed map[uuid.UUID]*Allowance) error {
	if len(ids) == 0 {
		return nil
	}
	quotas := postgres.Quotas{Q: q}
	if err := quotas.Wait(ctx, ids); err != nil {
		return err
	}
	own, err := quotas.Own(ctx, ids)
	if err != nil {
		return err
	}
	most := make([]int, len(ids))
	for i, id := range ids {
		if most[i] = s.Quota.With(own[id]).RunsPerMinute; most[i] == 0 {
			most[i] = quota.Most
		}
	}
	paces, err := quotas.Paces(ctx, ids, most)
	if err != nil {
		return err
	}
	for _, p := range paces {
		n := most[slices.Index(ids, p.ProjectID)]
		refuse := fault.New(fault.RateLimited, postgres.CodeQuotaRuns, "The project has used up its quota of runs within a minute (%d); try again in %d s",
			n, (p.Wait()+time.Second-1)/time.Second)
		refuse.RetryAfter = p.Wait()
		allowed[p.ProjectID] = &Allowance{
			left: n - p.Started, refuse: refuse, reason: fmt.Sprintf("the project had used up its quota of runs within a minute (%d)", n),
		}
	}
	return nil
}

func (s *Service) isPaced(now *limited, project uuid.UUID) bool {
	return s.Quota.RunsPerMinute > 0 || now.paced[project]
}

// anyLimited tells whether one of the projects may not start as many runs as it likes.
func (s *Service) anyLimited(ctx context.Context, q postgres.Querier, projects []uuid.UUID) (bool, error) {
	now, err := s.limitedNow(ctx, q)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(projects, func(id uuid.UUID) bool { return now.full[id] != nil || s.isPaced(now, id) }), nil
}

// limitedNow are the projects that may not start as many runs as they like. Nobody waits here for another who asks the database:
// they may have the connection that the other waits for.
func (s *Service) limitedNow(ctx context.Context, q postgres.Querier) (*limited, error) {
	k := &s.limits
	now := s.clock.Now()
	k.mu.Lock()
	if k.now != nil {
		if now.Before(k.until) {
			defer k.mu.Unlock()
			return k.now, nil
		}
		k.until = now.Add(time.Second) // this one asks, and the others believe meanwhile what was
	}
	k.mu.Unlock()
	found, err := s.readLimited(ctx, q)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now, k.until = found, now.Add(limitsLife)
	return found, nil
}

func (s *Service) readLimited(ctx context.Context, q postgres.Querier) (*limited, error) {
	paced, err := postgres.Quotas{Q: q}.Paced(ctx)
	if err != nil {
		return nil, err
	}
	full, err := postgres.Storage{Q: q}.Full(ctx, s.Quota.Storage)
	if err != nil {
		return nil, err
	}
	found := &limited{paced: make(map[uuid.UUID]bool, len(paced)), full: make(map[uuid.UUID]*Allowance, len(full))}
	for _, id := range paced {
		found.paced[id] = true
	}
	for _, f := range full {
		found.full[f.ProjectID] = &Allowance{
			refuse: fault.New(fault.Conflict, postgres.CodeQuotaStorage,
				"The project stores %s, and may store %s; let its workflows keep their runs for a shorter time, or ask an administrator for more",
				megabytes(f.Bytes), megabytes(f.Most)),
			reason: fmt.Sprintf("the project stored as much as it may (%s)", megabytes(f.Most)),
		}
	}
	return found, nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", bytes/quota.Megabyte) }

// insertion is what became of a run that somebody asked for: made is nil when its Current does not hold.
type insertion struct {
	made    *postgres.Inserted
	refused *fault.Error
}

// insert makes runs that arrived together, as far as their projects' quotas let them.
func (s *Service) insert(ctx context.Context, runs []postgres.NewRun) ([]insertion, error) {
	projects := projectsOf(runs)
	limited, err := s.anyLimited(ctx, s.db, projects)
	if err != nil {
		return nil, err
	}
	done := make([]insertion, len(runs))
	if !limited { // one statement is its own transaction
		return done, s.insertInto(ctx, s.db, runs, done)
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		clear(done)
		allowed, err := s.Allowances(ctx, q, projects)
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
