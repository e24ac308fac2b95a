package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

func TestStartARun(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, w := ana.create(example())
	a := ana.post(path+"/runs", object{"inputs": object{"base": "USD", "id": 9007199254740993, "deep": object{"list": list{1, nil, true}}}})
	r := a.want(202)
	if r.text("status") != "queued" || r.text("trigger") != "manual" || r.text("workflow_id") != w.text("id") || r.number("version") != "1" {
		t.Errorf("accepted %v", r)
	}
	if a.header.Get("Location") != "/api/v1/runs/"+r.text("id") {
		t.Errorf("Location %q", a.header.Get("Location"))
	}
	got := ana.get("/runs/" + r.text("id")).want(200)
	if got.child("inputs").number("id") != "9007199254740993" || len(got.items("steps")) != 2 || got.items("steps")[1].text("status") != "queued" {
		t.Errorf("read %v", got)
	}
	ana.post(path+"/runs", nil).want(202)      // without a body,
	ana.post(path+"/runs", object{}).want(202) // or without inputs
	large := ana.post(path+"/runs", object{"inputs": object{"x": strings.Repeat("x", 257<<10)}})
	large.want(422)
	large.at("/inputs", "too_large")
	for _, inputs := range []any{nil, list{}, "x", 1} {
		ana.post(path+"/runs", object{"inputs": inputs}).want(422)
	}
}

func TestTheSameStartTwice(t *testing.T) {
	in := install(t)
	ana, bob := in.user("ana"), in.user("bob")
	path, _ := ana.create(logOnly("x"))
	other, _ := ana.create(logOnly("y"))
	of, _ := bob.create(logOnly("z"))
	key := header("Idempotency-Key", "order-17")
	first := ana.post(path+"/runs", object{"inputs": object{"n": 1}}, key).want(202).text("id")
	if again := ana.post(path+"/runs", object{"inputs": object{"n": 1}}, key).want(202).text("id"); again != first {
		t.Errorf("the second call started %s", again)
	}
	ana.post(path+"/runs", object{"inputs": object{"n": 2}}, key).refused(422, "idempotency_key_reused")
	ana.post(other+"/runs", object{"inputs": object{"n": 1}}, key).refused(422, "idempotency_key_reused")
	ana.post("/runs/"+first+"/rerun", nil, key).refused(422, "idempotency_key_reused")
	if id := bob.post(of+"/runs", nil, key).want(202).text("id"); id == first {
		t.Error("a key counts for other users")
	}

	// At once, as when a client does not wait for an answer.
	key = header("Idempotency-Key", "order-18")
	ids := sync.Map{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { ids.Store(ana.post(path+"/runs", nil, key).want(202).text("id"), true) })
	}
	wg.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("20 calls at once started %d runs", n)
	}
	if all := in.sql(`select count(*) from runs`); all != 3 { // order-17, bob's, order-18
		t.Errorf("%d runs were made, want 3", all)
	}

	// A day later the key is free.
	in.sql(`with old as (update idempotency_keys set created_at = now() - interval '25 hours') select 0`)
	if again := ana.post(path+"/runs", nil, header("Idempotency-Key", "order-17")).want(202).text("id"); again == first {
		t.Error("the key is remembered for longer than a day")
	}
	for _, bad := range []string{strings.Repeat("k", 201), "\xff"} {
		ana.post(path+"/runs", nil, header("Idempotency-Key", bad)).want(422)
	}
}

// How a run looks that failed at its second step after a retry.
func TestARunWithItsSteps(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := ana.post(path+"/runs", nil).want(202).text("id")
	w := in.work(id)
	if r := ana.get("/runs/" + id).want(200); r.text("status") != "running" || r.text("started_at") == "" || r["finished_at"] != nil {
		t.Errorf("under way: %v", r)
	}
	w.ends(run.Failed, "step note failed: no field usd",
		attempt("fetch", 1, run.Failed, `{"status": 503}`, "503 Service Unavailable"),
		attempt("fetch", 2, run.Succeeded, `{"status": 200, "body": {"id": 9007199254740993}}`, ""),
		attempt("note", 1, run.Failed, "", "no field usd"))
	r := ana.get("/runs/" + id).want(200)
	fetch, note := r.items("steps")[0], r.items("steps")[1]
	if r.text("status") != "failed" || r.text("reason") != "step note failed: no field usd" || r.text("finished_at") == "" {
		t.Errorf("ended: %v", r)
	}
	if fetch.text("status") != "succeeded" || len(fetch.items("attempts")) != 2 || fetch.items("attempts")[0].text("error") != "503 Service Unavailable" {
		t.Errorf("fetch: %v", fetch)
	}
	if fetch["error"] != nil || fetch.child("output").child("body").number("id") != "9007199254740993" {
		t.Errorf("fetch: %v", fetch)
	}
	if note.text("status") != "failed" || note.text("error") != "no field usd" || note["output"] != nil {
		t.Errorf("note: %v", note)
	}
	if brief := ana.get(path).want(200).items("recent_runs"); len(brief) != 1 || brief[0].text("status") != "failed" {
		t.Errorf("recent runs: %v", brief)
	}
}

func TestPagesOfLogs(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("x"))
	id := ana.post(path+"/runs", nil).want(202).text("id")
	w := in.work(id)
	for i := range 25 {
		w.says(fmt.Sprintf("line %d", i))
	}
	logs := "/runs/" + id + "/logs"
	after, seen := "0", ""
	for {
		page := ana.get(logs + "?limit=10&after=" + after).want(200)
		for _, l := range page.items("items") {
			seen += strings.TrimPrefix(l.text("message"), "line ") + " "
		}
		if page["next_cursor"] == nil {
			break
		}
		after = page.text("next_cursor")
	}
	if want := lines(25, func(i int) string { return fmt.Sprintf("%d ", i) }); seen != want {
		t.Errorf("read %s, want %s", seen, want)
	}
	for query, want := range map[string]int{"step=say": 25, "step=other": 0, "after=24": 1, "after=9223372036854775807": 0} {
		if got := len(ana.get(logs + "?" + query).want(200).items("items")); got != want {
			t.Errorf("%s: %d lines, want %d", query, got, want)
		}
	}
	for _, query := range []string{"after=-1", "after=x", "after=9223372036854775808", "limit=0", "limit=1001", "step=%00", "step=%ff"} {
		ana.get(logs + "?" + query).want(422)
	}
}

func TestCancelARun(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	queued := "/runs/" + ana.post(path+"/runs", nil).want(202).text("id")
	r := ana.post(queued+"/cancel", nil).want(202)
	if r.text("status") != "cancelled" || r.text("reason") != "cancelled by ana" || r.items("steps")[0].text("status") != "cancelled" {
		t.Errorf("one that no worker had: %v", r)
	}
	ana.post(queued+"/cancel", nil).refused(409, "run_finished")

	id := ana.post(path+"/runs", nil).want(202).text("id")
	w := in.work(id)
	if r := ana.post("/runs/"+id+"/cancel", nil).want(202); r.text("status") != "running" || r.text("reason") != "cancelled by ana" {
		t.Errorf("one that a worker has: %v", r)
	}
	ana.post("/runs/"+id+"/cancel", nil).want(202) // asking twice does no harm
	w.ends(run.Cancelled, "cancelled by ana")
	ana.post("/runs/"+id+"/cancel", nil).refused(409, "run_finished")
}

func TestDeletingAWorkflowCancelsItsRuns(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := ana.post(path+"/runs", nil).want(202).text("id")
	ana.delete(path).want(204)
	r := ana.get("/runs/" + id).want(200) // the run stays
	if r.text("status") != "cancelled" || !strings.Contains(r.text("reason"), "deleted") || len(r.items("steps")) != 2 {
		t.Errorf("%v", r)
	}
	ana.post("/runs/"+id+"/rerun", nil).refused(404, "not_found")
	ana.post(path+"/runs", nil).refused(404, "not_found")
}

func TestRunAgain(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := ana.post(path+"/runs", object{"inputs": object{"base": "USD"}}).want(202).text("id")
	rerun := "/runs/" + id + "/rerun"
	ana.post(rerun, object{"from": "failed"}).refused(409, "run_not_finished")
	in.work(id).ends(run.Failed, "step note failed",
		attempt("fetch", 1, run.Failed, "", "503"), attempt("fetch", 2, run.Succeeded, `{"status": 200}`, ""),
		attempt("note", 1, run.Failed, "", "no field usd"))
	ana.put(path, example(func(w object) { w["name"] = "Changed" })).want(200)

	kept := func(r object) string {
		s := ""
		for _, step := range r.items("steps") {
			s += step.text("id") + ":" + step.text("status") + " "
		}
		return strings.TrimSpace(s)
	}
	for _, c := range []struct {
		how                  any
		steps, version, base string
	}{
		{nil, "fetch:queued note:queued", "1", "USD"},
		{object{"from": "start"}, "fetch:queued note:queued", "1", "USD"},
		{object{"from": "failed"}, "fetch:succeeded note:queued", "1", "USD"},
		{object{"from": "note"}, "fetch:succeeded note:queued", "1", "USD"},
		{object{"from": "fetch"}, "fetch:queued note:queued", "1", "USD"},
		{object{"version": "current"}, "fetch:queued note:queued", "2", "USD"},
		{object{"version": "same", "inputs": object{"base": "CHF"}}, "fetch:queued note:queued", "1", "CHF"},
		{object{"inputs": object{}}, "fetch:queued note:queued", "1", ""},
	} {
		r := ana.post(rerun, c.how).want(202)
		if r.text("rerun_of") != id || r.text("trigger") != "rerun" || r.text("status") != "queued" {
			t.Errorf("%v: %v", c.how, r)
		}
		if kept(r) != c.steps || r.number("version") != c.version || r.child("inputs").text("base") != c.base {
			t.Errorf("%v: steps %s, version %s, inputs %v", c.how, kept(r), r.number("version"), r["inputs"])
		}
		if again := ana.get("/runs/" + r.text("id")).want(200); kept(again) != c.steps {
			t.Errorf("%v: read again, the steps are %s", c.how, kept(again))
		}
	}
	unknown := ana.post(rerun, object{"from": "gone"})
	unknown.want(422)
	unknown.at("/from", "unknown_step")
	for _, how := range []object{{"from": nil}, {"version": "3"}, {"inputs": nil}, {"form": "start"}} {
		ana.post(rerun, how).want(422)
	}
	good := ana.post(path+"/runs", nil).want(202).text("id")
	in.work(good).ends(run.Succeeded, "", attempt("fetch", 1, run.Succeeded, `{}`, ""), attempt("note", 1, run.Succeeded, "", ""))
	ana.post("/runs/"+good+"/rerun", object{"from": "failed"}).refused(409, "nothing_failed")
	key := header("Idempotency-Key", "again")
	if a, b := ana.post(rerun, nil, key).want(202), ana.post(rerun, nil, key).want(202); a.text("id") != b.text("id") {
		t.Error("a key does not count for reruns")
	}
}

func TestFindRuns(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, w := ana.create(logOnly("x"))
	other, _ := ana.create(logOnly("y"))
	start := func(of string) string { return ana.post(of+"/runs", nil).want(202).text("id") }
	waiting, running, good, bad, gone := start(path), start(path), start(path), start(path), start(other)
	in.work(running)
	in.work(good).ends(run.Succeeded, "")
	in.work(bad).ends(run.Failed, "it broke")
	ana.post("/runs/"+gone+"/cancel", nil).want(202)
	again := ana.post("/runs/"+bad+"/rerun", nil).want(202).text("id")

	minute := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	for query, want := range map[string][]string{
		"":                                {again, gone, bad, good, running, waiting},
		"workflow_id=" + w.text("id"):     {again, bad, good, running, waiting},
		"status=queued":                   {again, waiting},
		"status=running":                  {running},
		"status=succeeded":                {good},
		"status=failed,cancelled":         {gone, bad},
		"status=queued,running,succeeded": {again, good, running, waiting},
		"status=held":                     {},
		"trigger=rerun":                   {again},
		"trigger=manual&status=failed":    {bad},
		"trigger=schedule":                {},
		"from=" + minute(-time.Minute):    {again, gone, bad, good, running, waiting},
		"from=" + minute(time.Minute):     {},
		"to=" + minute(-time.Minute):      {},
		"to=" + minute(time.Minute):       {again, gone, bad, good, running, waiting},
		"from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z": {again, gone, bad, good, running, waiting},
		"from=9999-12-31T23:59:59.999999999Z":               {},
		"to=0001-01-01T00:00:00Z":                           {},
	} {
		var got []string
		for page := range ana.pages("/runs?"+query, 2) {
			for _, r := range page {
				got = append(got, r.text("id"))
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q:\ngot  %v\nwant %v", query, got, want)
		}
	}
	for _, query := range []string{
		"status=done", "status=", "status=queued,", "trigger=cron", "from=yesterday", "from=2026-02-30T00:00:00Z", "to=1",
		"workflow_id=x", "project_id=1", "workflow_id=%00", "from=9999-12-31T23:59:59-23:59",
		"status=" + strings.Repeat("queued,", 7) + "queued",
	} {
		ana.get("/runs?" + query).want(422)
	}
}

func TestTheLedger(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, w := ana.create(example())
	r := ana.post(path+"/runs", nil).want(202).text("id")
	for i := range 5 {
		in.sql(`insert into occurrences (trigger_id, workflow_id, fire_at, outcome, reason, run_id, count)
			select id, workflow_id, timestamptz '2026-01-01 00:00:00Z' + make_interval(hours => $2), $3, $4, $5, 1 from triggers where workflow_id = $1 returning 0`,
			w.text("id"), i, []string{"ran", "ran_late", "coalesced", "skipped", "superseded"}[i], "because", r)
	}
	occurrences := path + "/occurrences"
	hours := func(query string) string {
		s := ""
		for page := range ana.pages(occurrences+query, 2) {
			for _, o := range page {
				s += o.text("fire_at")[11:13] + " "
			}
		}
		return s
	}
	for query, want := range map[string]string{
		"": "04 03 02 01 00 ", "?outcome=skipped": "03 ", "?trigger=morning": "04 03 02 01 00 ", "?trigger=gone": "",
		"?from=2026-01-01T02:00:00Z": "04 03 02 ", "?to=2026-01-01T02:00:00Z": "01 00 ",
	} {
		if got := hours(query); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"?outcome=lost", "?trigger=%00", "?from=x"} {
		ana.get(occurrences + query).want(422)
	}
	// Each entry says how its run went, as long as the run is kept.
	entry := func() object { return ana.get(occurrences + "?outcome=ran").want(200).items("items")[0] }
	if run, _ := entry()["run"].(map[string]any); run["id"] != r || run["status"] != "queued" {
		t.Errorf("its run is %v", run)
	}
	in.sql(`delete from runs where id = $1 returning 0`, r)
	if run, ok := entry()["run"]; ok {
		t.Errorf("a run that is gone is shown as %v", run)
	}
}

// counter counts statements.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Thousands of runs are started each second; what one start costs the database is counted here.
func TestAStartCostsThreeStatements(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	var statements counter
	cfg := in.db.Config().Copy()
	cfg.ConnConfig.Tracer = &statements
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	old := in.db.Pool
	in.db.Pool = pool
	defer func() { in.db.Pool = old; pool.Close() }()
	ana.post(path+"/runs", nil).want(202) // the connection and the caller are known from here on
	before := statements.n.Load()
	ana.post(path+"/runs", object{"inputs": object{"a": 1}}).want(202)
	if n := statements.n.Load() - before; n > 3 {
		t.Errorf("%d statements, want 3 at most", n)
	}
}

// cutOff takes the database away until back is called.
func (in *installation) cutOff() (back func()) {
	in.t.Helper()
	cfg := in.db.Config().Copy()
	cfg.ConnConfig.Port++ // nobody listens there
	cfg.ConnConfig.Host = "127.0.0.1"
	cfg.ConnConfig.Fallbacks = nil
	pool, err := pgxpool.NewWithConfig(in.t.Context(), cfg)
	if err != nil {
		in.t.Fatal(err)
	}
	old := in.db.Pool
	in.db.Pool = pool
	return func() { in.db.Pool = old; pool.Close() }
}

func TestTheDatabaseIsAway(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	defer in.cutOff()()
	a := ana.fetch("GET", "/api/v1/workflows", nil)
	if a.status != 503 || a.header.Get("Retry-After") == "" || a.json().text("code") != "unavailable" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
