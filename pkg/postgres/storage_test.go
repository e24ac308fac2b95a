package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// weigh answers what each project stores.
func (y *yard) weigh() map[uuid.UUID]int64 {
	y.t.Helper()
	store := postgres.Storage{Q: y.db}
	parts, err := store.Parts(y.t.Context())
	must(y.t, err)
	all := map[uuid.UUID]int64{}
	for _, part := range parts {
		shares, err := store.Weigh(y.t.Context(), part)
		must(y.t, err)
		for project, bytes := range shares {
			all[project] += bytes
		}
	}
	return all
}

// fill makes runs of this week, each with a step, a row of the ledger and a line of up to chars characters that cannot be
// compressed, and every second with a delivery.
func (y *yard) fill(project uuid.UUID, runs, chars int) {
	y.t.Helper()
	workflow := y.workflow(project, run.DefaultQueue, nil)
	_, err := y.db.Exec(y.t.Context(), `
		with made as (
		    insert into runs (id, project_id, workflow_id, version, status, trigger, trigger_id, fire_at, attempts, created_at, started_at, finished_at)
		    select overlay(gen_random_uuid()::text placing left(first_id_at(now())::text, 14) from 1 for 14)::uuid, $1, $2, 1, 'succeeded', 'schedule', $2, now(), 1, now(), now(), now()
		      from generate_series(1, $3) returning id),
		     steps as (
		    insert into step_runs (run_id, step, attempt, status, started_at, finished_at) select id, 'write', 1, 'succeeded', now(), now() from made),
		     lines as (
		    insert into run_logs (run_id, seq, at, step, attempt, level, message)
		    select id, 1, now(), 'write', 1, 'info', (select left(string_agg(md5(id::text || i), ''), $4 * (1 + get_byte(uuid_send(id), 14)) / 256) from generate_series(0, $4 / 32) i) from made),
		     arrived as (
		    insert into deliveries (id, project_id, workflow_id, trigger_id, verdict, run_id, method, headers, body, size, address)
		    select id, $1, $2, $2, 'accepted', id, 'POST', '{"Content-Type": ["application/json"], "User-Agent": ["curl/8.0"]}', '{"event": "paid"}', 17, '203.0.113.7'
		      from made where get_byte(uuid_send(id), 15) % 2 = 0)
		insert into occurrences (trigger_id, fire_at, workflow_id, outcome, run_id)
		select $2, now() + row_number() over () * interval '1 s', $2, 'ran', id from made`, project, workflow, runs, chars)
	must(y.t, err)
}

// onDisk is how much the tables that are weighed take up with their indexes.
func (y *yard) onDisk() (bytes int64) {
	y.t.Helper()
	must(y.t, y.db.QueryRow(y.t.Context(), `
		select sum(pg_total_relation_size(relid))::bigint
		  from unnest(array['runs', 'step_runs', 'run_logs', 'deliveries']) k (name) cross join lateral pg_partition_tree(k.name::regclass)`).Scan(&bytes))
	var ledger int64
	must(y.t, y.db.QueryRow(y.t.Context(), `select pg_total_relation_size('occurrences')`).Scan(&ledger))
	return bytes + ledger
}

// What is weighed is what the disk holds, indexes and all, whether rows are short or long.
func TestWhatIsWeighedIsOnTheDisk(t *testing.T) {
	for what, chars := range map[string]int{"short": 40, "long": 12_000} {
		t.Run(what, func(t *testing.T) {
			y := newYard(t)
			_, err := postgres.Retention{Q: y.db}.MakeWeeks(t.Context(), 1)
			must(t, err)
			before := y.onDisk()
			project := y.project()
			y.fill(project, 5000, chars)
			weighed, stored := y.weigh()[project], y.onDisk()-before
			t.Logf("weighed %d, on the disk %d: %.2f", weighed, stored, float64(weighed)/float64(stored))
			if off := float64(weighed) / float64(stored); off < 0.8 || off > 1.2 {
				t.Errorf("weighed %d bytes, and %d are on the disk", weighed, stored)
			}
		})
	}
}

// Of much, samples are looked at; each project has its share of it all the same, and the same one each time.
func TestSharesOfALargeTable(t *testing.T) {
	y := newYard(t)
	one, other := y.project(), y.project()
	y.fill(one, 5000, 1900)
	y.fill(other, 15_000, 1900)
	shares := y.weigh()
	if part := float64(shares[one]) / float64(shares[one]+shares[other]); part < 0.22 || part > 0.28 {
		t.Errorf("its share is %.3f, want a quarter", part)
	}
	if again := y.weigh(); again[one] != shares[one] || again[other] != shares[other] {
		t.Errorf("first %v, then %v", shares, again)
	}
	parts, err := postgres.Storage{Q: y.db}.Parts(t.Context())
	must(t, err)
	sampled := false
	for _, p := range parts {
		sampled = sampled || p.Pages > 2048
	}
	if !sampled {
		t.Error("no table is large enough to be sampled")
	}
}

func TestWhoIsFull(t *testing.T) {
	y := newYard(t)
	store := postgres.Storage{Q: y.db}
	little, much, allowed := y.project(), y.project(), y.project()
	must(t, store.Set(t.Context(), map[uuid.UUID]int64{little: 99, much: 100, allowed: 100, uuid.New(): 5}))
	_, err := y.db.Exec(t.Context(), `update projects set quota_storage = 101 where id = $1`, allowed)
	must(t, err)
	if full, err := store.Full(t.Context(), 0); err != nil || len(full) != 0 {
		t.Errorf("without a quota: %v, %v", full, err)
	}
	full, err := store.Full(t.Context(), 100)
	must(t, err)
	if len(full) != 1 || full[0].ProjectID != much || full[0].Bytes != 100 || full[0].Most != 100 {
		t.Errorf("full are %+v", full)
	}
	if recently, err := store.WeighedWithin(t.Context(), time.Minute); err != nil || !recently {
		t.Errorf("weighed recently: %t, %v", recently, err)
	}
	must(t, store.Set(t.Context(), map[uuid.UUID]int64{little: 1})) // the others are gone
	if n := y.count("project_storage"); n != 1 {
		t.Errorf("%d projects store something", n)
	}
}
