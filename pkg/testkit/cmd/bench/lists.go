package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

const (
	listProjects  = 200
	listWorkflows = 10  // of each project
	listPages     = 500 // read of each kind
	listSize      = 50
	seedPiece     = 100_000
)

var listKinds = []string{"all", "workflow", "failed", "second_page"}

// seedRuns writes n finished runs of the last five weeks into their weeks, in the order in which they would have come.
// Some projects and workflows have many more than others: the busiest project a sixth. Of a hundred runs three failed.
func (r *rig) seedRuns(ctx context.Context, n int) error {
	for _, sql := range []string{
		`select make_week(now() - w * interval '7 days') from generate_series(0, 5) w`,
		`insert into projects (id, name) select bench_id('p', i), 'project ' || i from generate_series(0, 199) i`,
		`insert into workflows (id, project_id, name, enabled, version)
		 select bench_id('w', i), bench_id('p', i / 10), 'workflow ' || i, true, 1 from generate_series(0, 1999) i`,
		`insert into triggers (id, workflow_id, project_id, key, version, spec, anchor_at, enabled)
		 select bench_id('t', i), bench_id('w', i), bench_id('p', i / 10), 'daily', 1, '{}', now(), false from generate_series(0, 1999) i`,
	} {
		if _, err := r.DB.Exec(ctx, sql); err != nil {
			return fmt.Errorf("seed projects: %w", err)
		}
	}
	var seeding errgroup.Group
	seeding.SetLimit(2)
	for from := 0; from < n; from += seedPiece {
		seeding.Go(func() error {
			_, err := r.DB.Exec(ctx, `
				with s as materialized (
				    select i, now() - interval '35 days' * (1 - i::float8 / $3) as at,
				           floor(200 * power((hashint8(i) & 16777215) / 16777216.0, 3))::bigint as project,
				           floor(10 * power((hashint8(i + 1000000000) & 16777215) / 16777216.0, 2))::bigint as workflow,
				           case when i % 100 in (7, 39, 71) then 'failed' when i % 200 = 11 then 'cancelled' else 'succeeded' end as status
				      from generate_series($1::bigint, $2::bigint) i),
				w as materialized (
				    select s.*, (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(i), 15, '0'))::uuid as id
				      from s),
				bad as (
				    insert into unsuccessful_runs (project_id, id, status)
				    select bench_id('p', project), id, status from w where status <> 'succeeded')
				insert into runs (id, project_id, workflow_id, version, status, trigger, trigger_id, fire_at, attempts, created_at, started_at, finished_at)
				select id, bench_id('p', project), bench_id('w', project * 10 + workflow), 1, status, 'schedule',
				       bench_id('t', project * 10 + workflow), date_trunc('minute', at), 1, at, at, at + interval '2 seconds' from w`,
				from, min(from+seedPiece, n)-1, n)
			if err != nil {
				return fmt.Errorf("seed runs: %w", err)
			}
			return nil
		})
	}
	if err := seeding.Wait(); err != nil {
		return err
	}
	if _, err := r.DB.Exec(ctx, `vacuum analyze runs, unsuccessful_runs, projects, workflows, triggers`); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	return nil
}

// runList measures the pages that people look at, among many runs.
func runList(ctx context.Context, r *rig) (values, error) {
	if err := r.makeIDs(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := r.seedRuns(ctx, r.runs); err != nil {
		return nil, err
	}
	v := values{"runs": float64(r.runs), "seeded_in_s": time.Since(began).Seconds()}
	// As the API's, but of one connection: it is about the page, not about many of them.
	db, err := postgres.Open(ctx, r.DatabaseURL, postgres.Options{Application: "api", Conns: 1})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	for _, kind := range listKinds {
		var took []time.Duration
		for range listPages {
			d, err := readPage(ctx, db, kind)
			if err != nil {
				return nil, err
			}
			took = append(took, d)
		}
		s := bench.SpreadOf(took)
		v[kind+"_p50_ms"], v[kind+"_p99_ms"] = ms(s.P50), ms(s.P99)
	}
	return v, nil
}

// readPage reads a page of a kind for somebody who is in three projects, and answers how long that took.
func readPage(ctx context.Context, db *postgres.DB, kind string) (time.Duration, error) {
	f := postgres.RunFilter{Limit: listSize}
	for len(f.Projects) < 3 {
		f.Projects = append(f.Projects, seededID('p', rand.IntN(listProjects)))
	}
	store := postgres.Runs{Q: db}
	switch kind {
	case "workflow":
		project := rand.IntN(listProjects)
		f.Projects[0] = seededID('p', project)
		id := seededID('w', project*listWorkflows+rand.IntN(listWorkflows))
		f.WorkflowID = &id
	case "failed":
		f.Statuses = []run.Status{run.Failed}
	case "second_page":
		first, err := store.List(ctx, f)
		if err != nil {
			return 0, err
		}
		if len(first) > 0 {
			f.Before = &first[len(first)-1].ID
		}
	}
	began := time.Now()
	list, err := store.List(ctx, f)
	took := time.Since(began)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("a page of %s is empty", kind)
	}
	return took, err
}

// seededID is the database's bench_id.
func seededID(kind byte, i int) uuid.UUID {
	id := uuid.UUID{0x01, 0x8f, 0, 0, 0, 0, 0x70, 0, 0x80, kind}
	for at := 15; i > 0; at, i = at-1, i>>8 {
		id[at] = byte(i)
	}
	return id
}
