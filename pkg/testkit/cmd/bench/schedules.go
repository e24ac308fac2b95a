package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// seedSchedules writes n enabled workflows of one log step, each with a schedule of its own, shared out over 100 projects.
// Each is due once a week, three days from now; the zone data count as known, so that nobody looks at all of them again.
func (r *rig) seedSchedules(ctx context.Context, n int) error {
	def, err := json.Marshal(workflow.Definition{Name: "seeded", Steps: []workflow.Step{bench.LogStep()}})
	if err != nil {
		return fmt.Errorf("encode the definition: %w", err)
	}
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{`insert into projects (id, name) select bench_id('p', i), 'project ' || i from generate_series(0, 99) i`, nil},
		{`insert into workflows (id, project_id, name, enabled, version)
		  select bench_id('w', i), bench_id('p', i % 100), 'schedule ' || i, true, 1 from generate_series(1, $1) i`, []any{n}},
		{`insert into workflow_versions (workflow_id, version, definition)
		  select bench_id('w', i), 1, $2 from generate_series(1, $1) i`, []any{n, def}},
		{`insert into triggers (id, workflow_id, project_id, key, version, spec, anchor_at, enabled, next_fire_at, due_at)
		  select bench_id('t', i), bench_id('w', i), bench_id('p', i % 100), 't', 1,
		         jsonb_build_object('id', 't', 'type', 'schedule', 'cron',
		                            extract(minute from at) || ' ' || extract(hour from at) || ' * * ' || extract(dow from at)),
		         now(), true, at, at
		    from (select i, date_trunc('day', now()) + interval '3 days' + make_interval(mins => i % 1440) as at
		            from generate_series(1, $1) i) s`, []any{n}},
		{`update zone_data set version = $1, going_to = null`, []any{schedule.TZDataVersion()}},
		{`vacuum analyze workflows, workflow_versions, triggers`, nil},
		{`checkpoint`, nil},
	} {
		if _, err := r.DB.Exec(ctx, s.sql, s.args...); err != nil {
			return fmt.Errorf("seed schedules: %w", err)
		}
	}
	return nil
}

// makeIDs makes the function that names seeded rows: a UUIDv7 of now that ends in a letter's code and a number.
func (r *rig) makeIDs(ctx context.Context) error {
	_, err := r.DB.Exec(ctx, `
		create or replace function bench_id(kind char, i bigint) returns uuid language sql immutable parallel safe
		return ('018f0000-0000-7000-80' || to_hex(ascii(kind)) || '-' || lpad(to_hex(i), 12, '0'))::uuid`)
	if err != nil {
		return fmt.Errorf("make the ids of what is seeded: %w", err)
	}
	return nil
}

// dueTogether lets the first n seeded schedules be due at the same instant: that of a cron of six fields, once a day.
func (r *rig) dueTogether(ctx context.Context, n int, at time.Time) error {
	cron := fmt.Sprintf("%d %d %d * * *", at.Second(), at.Minute(), at.Hour())
	_, err := r.DB.Exec(ctx, `
		update triggers t set spec = jsonb_set(spec, '{cron}', to_jsonb($2::text)), next_fire_at = $3, due_at = $3
		  from generate_series(1, $1) i where t.id = bench_id('t', i)`, n, cron, at)
	if err != nil {
		return fmt.Errorf("let schedules be due: %w", err)
	}
	if time.Now().After(at) {
		return errors.New("the machine was too slow to let the schedules be due in time")
	}
	return nil
}

// manyTicks measures how late runs begin when 10,000 schedules are due at once.
func manyTicks(ctx context.Context, r *rig) (values, error) {
	const n = 10_000
	if err := r.makeIDs(ctx); err != nil {
		return nil, err
	}
	if err := r.seedSchedules(ctx, n); err != nil {
		return nil, err
	}
	if err := r.dueTogether(ctx, n, time.Now().UTC().Truncate(time.Second).Add(4*time.Second)); err != nil {
		return nil, err
	}
	late, err := r.Lateness(ctx, n)
	return spread(late, values{"due": n}), err
}

// schedulesIdle measures what a scheduler takes of a core that has many schedules and nothing to do.
func schedulesIdle(ctx context.Context, r *rig) (values, error) {
	if err := r.makeIDs(ctx); err != nil {
		return nil, err
	}
	empty, err := r.idle(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.seedSchedules(ctx, r.schedules); err != nil {
		return nil, err
	}
	many, err := r.idle(ctx)
	if err != nil {
		return nil, err
	}
	of := func(d time.Duration) float64 { return 100 * d.Seconds() / r.quiet.Seconds() }
	return values{
		"schedules": float64(r.schedules), "seconds": r.quiet.Seconds(),
		"percent": of(many.program + many.postgres), "percent_program": of(many.program), "percent_postgres": of(many.postgres),
		"percent_empty": of(empty.program + empty.postgres),
	}, nil
}

// settling is for what a scheduler does once after its start, and for PostgreSQL to tidy up.
const settling = 5 * time.Second

// idle is what a scheduler uses, with PostgreSQL, over the quiet time.
func (r *rig) idle(ctx context.Context) (usage, error) {
	stop, err := r.StartScheduler(ctx)
	if err != nil {
		return usage{}, err
	}
	err = pause(ctx, settling)
	before := cpu()
	if err == nil {
		err = pause(ctx, r.quiet)
	}
	used := cpu().since(before)
	return used, errors.Join(err, stop())
}

// schedulesDue measures how long it takes until many schedules that are due at once have their runs, and until those ended.
func schedulesDue(ctx context.Context, r *rig) (values, error) {
	if err := r.makeIDs(ctx); err != nil {
		return nil, err
	}
	if err := r.seedSchedules(ctx, max(r.schedules, r.due)); err != nil {
		return nil, err
	}
	ahead := 4*time.Second + time.Duration(r.due)*100*time.Microsecond
	at := time.Now().UTC().Add(ahead).Truncate(time.Second)
	if err := r.dueTogether(ctx, r.due, at); err != nil {
		return nil, err
	}
	stop, err := r.Start(ctx)
	if err != nil {
		return nil, err
	}
	inserted, err := r.awaitInserted(ctx, at)
	if err == nil {
		err = r.Await(ctx, r.due)
	}
	finished := time.Since(at)
	if err := errors.Join(err, stop(), r.Failures(ctx)); err != nil {
		return nil, err
	}
	return values{
		"due": float64(r.due), "schedules": float64(r.schedules), "inserted_s": inserted.Seconds(), "finished_s": finished.Seconds(),
	}, nil
}

// awaitInserted waits until nothing is due any more, and answers how long after the instant that is.
func (r *rig) awaitInserted(ctx context.Context, at time.Time) (time.Duration, error) {
	for {
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return 0, err
		}
		if time.Now().Before(at) {
			continue
		}
		var due bool
		err := r.DB.QueryRow(ctx, `select exists (select from triggers where enabled and due_at <= $1)`, at).Scan(&due)
		if err != nil {
			return 0, fmt.Errorf("look for due schedules: %w", err)
		}
		if !due {
			return time.Since(at), nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
