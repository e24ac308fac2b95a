package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

// january are five working days, each with one fire of the example's trigger.
func january(change ...func(object)) object {
	period := object{"from": "2025-01-06T00:00:00Z", "to": "2025-01-10T23:00:00Z"}
	for _, f := range change {
		f(period)
	}
	return period
}

// set sets a member of a request.
func set(name string, value any) func(object) { return func(o object) { o[name] = value } }

// trigger changes the example's trigger.
func trigger(change object) func(object) {
	return func(w object) {
		t := w["triggers"].(list)[0].(object)
		for name, value := range change {
			t[name] = value
		}
	}
}

func TestPreviewABackfill(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example(trigger(object{"excluded_dates": list{"2025-01-07", "2025-01-11"}})))
	morning := path + "/triggers/morning/backfills"
	p := ana.post(morning+"/preview", january()).want(200)
	var got []string
	for _, f := range p.items("fires") {
		got = append(got, f.text("local"))
	}
	want := "2025-01-06T09:00:00+01:00 2025-01-08T09:00:00+01:00 2025-01-09T09:00:00+01:00 2025-01-10T09:00:00+01:00"
	if strings.Join(got, " ") != want || p.number("total") != "4" || p.number("excluded") != "1" {
		t.Errorf("previewed %v", p)
	}
	year := january(set("from", "2024-01-01T00:00:00Z"), set("to", "2024-12-31T23:59:59Z"))
	if p := ana.post(morning+"/preview", year).want(200); p.number("total") != "262" || len(p.items("fires")) != 100 {
		t.Errorf("a year previews %s fires, of which %d are shown", p.number("total"), len(p.items("fires")))
	}
	// Both ends belong to the period, and a preview begins nothing.
	one := object{"from": "2025-01-06T08:00:00Z", "to": "2025-01-06T08:00:00Z"}
	if p := ana.post(morning+"/preview", one).want(200); p.number("total") != "1" {
		t.Errorf("an instant previews %v", p)
	}
	if n := in.sql(`select count(*) from backfills`); n != 0 {
		t.Errorf("%d backfills after previews", n)
	}
}

func TestBackfillsThatAreRefused(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	often, _ := ana.create(example(trigger(object{"cron": "* * * * *"})))
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	for _, c := range []struct {
		name          string
		path          string
		ask           object
		pointer, code string
		says          string
	}{
		{"the future", path, january(set("to", tomorrow)), "/to", "range", "lies in the future"},
		{"an end before its beginning", path, january(set("to", "2025-01-05T00:00:00Z")), "/to", "range", "before from"},
		{"more than ten years", path, january(set("from", "2010-01-01T00:00:00Z")), "/from", "range", "ten years"},
		{"before there were computers", path, january(set("from", "1960-01-01T00:00:00Z")), "/from", "range", "1970"},
		{"more fires than the limit", path, january(set("limit", 3)), "/limit", "too_many", "has 5 fires, and the limit is 3"},
		{"more fires than any limit", often, january(set("to", "2025-02-10T00:00:00Z"), set("limit", 10_000)), "/from", "too_many", "more than 10000 fires"},
		{"several at once, one after the other", path, january(set("concurrency", 2)), "/concurrency", "exclusive", "overlap allow"},
		{"too many at once", path, january(set("overlap", "allow"), set("concurrency", 51)), "/concurrency", "maximum", ""},
		{"none at once", path, january(set("overlap", "allow"), set("concurrency", 0)), "/concurrency", "minimum", ""},
		{"a policy of triggers", path, january(set("overlap", "skip")), "/overlap", "enum", ""},
		{"a limit of none", path, january(set("limit", 0)), "/limit", "minimum", ""},
		{"a limit without bounds", path, january(set("limit", 10_001)), "/limit", "maximum", ""},
		{"no end", path, object{"from": "2025-01-06T00:00:00Z"}, "/to", "required", ""},
		{"no instant", path, january(set("from", "yesterday")), "/from", "format", ""},
		{"a member that is not known", path, january(set("until", "2025-01-06T00:00:00Z")), "/until", "unknown_field", ""},
	} {
		for _, at := range []string{"/triggers/morning/backfills", "/triggers/morning/backfills/preview"} {
			a := ana.post(c.path+at, c.ask)
			a.want(422)
			if a.at(c.pointer, c.code); !strings.Contains(string(a.body), c.says) {
				t.Errorf("%s: it does not say %q: %s", c.name, c.says, a.body)
			}
		}
	}
	weekend := object{"from": "2025-01-11T00:00:00Z", "to": "2025-01-12T23:00:00Z"}
	if p := ana.post(path+"/triggers/morning/backfills/preview", weekend).want(200); p.number("total") != "0" {
		t.Errorf("a weekend previews %v", p)
	}
	a := ana.post(path+"/triggers/morning/backfills", weekend)
	a.want(422)
	a.at("/from", "no_fires")
	if n := in.sql(`select count(*) from backfills`); n != 0 {
		t.Errorf("%d backfills were started", n)
	}
}

func TestStartABackfill(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	morning := path + "/triggers/morning/backfills"
	a := ana.post(morning, january(), header("Idempotency-Key", "january"))
	b := a.want(201)
	for name, want := range map[string]string{"state": "running", "trigger_id": "morning", "overlap": "queue_all", "created_by": "ana"} {
		if b.text(name) != want {
			t.Errorf("%s is %q, want %q", name, b.text(name), want)
		}
	}
	for name, want := range map[string]string{"total": "5", "waiting": "5", "running": "0", "done": "0", "concurrency": "1", "version": "1"} {
		if b.number(name) != want {
			t.Errorf("%s is %s, want %s", name, b.number(name), want)
		}
	}
	if a.header.Get("Location") != "/api/v1/backfills/"+b.text("id") {
		t.Errorf("Location is %q", a.header.Get("Location"))
	}

	// The same key again is the same backfill; with another period it is a mistake.
	if again := ana.post(morning, january(), header("Idempotency-Key", "january")).want(201); again.text("id") != b.text("id") {
		t.Errorf("the same key made %s and %s", b.text("id"), again.text("id"))
	}
	ana.post(morning, january(set("limit", 5)), header("Idempotency-Key", "january")).refused(422, "idempotency_key_reused")
	// A run may not take the answer of a backfill for its own.
	ana.post(path+"/runs", nil, header("Idempotency-Key", "january")).refused(422, "idempotency_key_reused")
	other := ana.post(morning, january(set("overlap", "allow"))).want(201)
	if other.text("id") == b.text("id") || other.number("concurrency") != "5" {
		t.Errorf("without a key: %v", other)
	}

	page := ana.get(morning + "?limit=1").want(200)
	if items := page.items("items"); len(items) != 1 || items[0].text("id") != other.text("id") {
		t.Errorf("the newest: %v", page)
	}
	rest := ana.get(morning + "?limit=1&cursor=" + page.text("next_cursor")).want(200)
	if items := rest.items("items"); len(items) != 1 || items[0].text("id") != b.text("id") || rest["next_cursor"] != nil {
		t.Errorf("the other: %v", rest)
	}
}

// Progress is what its fires have come to.
func TestProgressOfABackfill(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	backfill := "/backfills/" + ana.post(path+"/triggers/morning/backfills", january()).want(201).text("id")
	for i, state := range []string{"succeeded", "succeeded", "failed", "started"} {
		in.sql(`update backfill_fires set state = $1 where fire_at = '2025-01-06 08:00Z'::timestamptz + $2 * interval '1 day' returning 0`, state, i)
	}
	b := ana.get(backfill).want(200)
	for name, want := range map[string]string{"total": "5", "done": "3", "succeeded": "2", "failed": "1", "cancelled": "0", "running": "1", "waiting": "1"} {
		if b.number(name) != want {
			t.Errorf("%s is %s, want %s", name, b.number(name), want)
		}
	}
}

func TestPauseResumeAndCancelABackfill(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	morning := path + "/triggers/morning/backfills"
	backfill := "/backfills/" + ana.post(morning, january()).want(201).text("id")
	for _, c := range []struct {
		do, state, reason string
		ended             bool
	}{
		{"resume", "running", "", false}, // what is so already stays so
		{"pause", "paused", "paused by ana", false},
		{"pause", "paused", "paused by ana", false},
		{"resume", "running", "", false},
		{"pause", "paused", "paused by ana", false},
		{"cancel", "cancelled", "the backfill was cancelled by ana", true},
		{"cancel", "cancelled", "the backfill was cancelled by ana", true},
	} {
		b := ana.post(backfill+"/"+c.do, nil).want(200)
		if b.text("state") != c.state || b.text("reason") != c.reason || (b["ended_at"] != nil) != c.ended {
			t.Errorf("after %s: %v", c.do, b)
		}
	}
	ana.post(backfill+"/pause", nil).refused(409, "backfill_ended")
	ana.post(backfill+"/resume", nil).refused(409, "backfill_ended")

	done := "/backfills/" + ana.post(morning, january()).want(201).text("id")
	in.sql(`update backfills set state = 'done', ended_at = now() where state = 'running' returning 0`)
	for _, do := range []string{"pause", "resume", "cancel"} {
		ana.post(done+"/"+do, nil).refused(409, "backfill_ended")
	}
}

// A backfill cannot outlive its trigger.
func TestABackfillEndsWithItsTrigger(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	morning := path + "/triggers/morning/backfills"
	backfill := "/backfills/" + ana.post(morning, january()).want(201).text("id")
	ana.put(path, example(func(w object) { w["triggers"] = list{} })).want(200)
	if b := ana.get(backfill).want(200); b.text("state") != "cancelled" || b.text("reason") != "the trigger was removed by ana" {
		t.Errorf("after its trigger was removed: %v", b)
	}
	ana.post(morning, january()).refused(404, "not_found")
	ana.post(morning+"/preview", january()).refused(404, "not_found")
}

// What one may not start, one may still look at as a member; whoever is none finds nothing.
func TestWhoMayBackfill(t *testing.T) {
	in := install(t)
	ana, bob := in.user("ana"), in.user("bob")
	path, created := ana.create(example())
	morning := path + "/triggers/morning/backfills"
	backfill := "/backfills/" + ana.post(morning, january()).want(201).text("id")
	for _, c := range []struct {
		role        account.ProjectRole
		read, start int
	}{{"", 404, 404}, {account.Viewer, 200, 403}, {account.Operator, 200, 201}} {
		if c.role != "" {
			in.join(created.text("project_id"), bob, c.role)
		}
		bob.get(morning).want(c.read)
		bob.get(backfill).want(c.read)
		bob.get(path + "/triggers/morning/explain?at=2025-01-06T09:00").want(c.read)
		bob.post(morning, january()).want(c.start)
		done := c.start
		if done == 201 {
			done = 200
		}
		bob.post(morning+"/preview", january()).want(done)
		for _, do := range []string{"pause", "resume", "cancel"} {
			bob.post(backfill+"/"+do, nil).want(done)
		}
	}
	for _, nowhere := range []string{path + "/triggers/evening/backfills", "/workflows/0190c0de-0000-7000-8000-000000000000/triggers/morning/backfills"} {
		ana.post(nowhere, january()).refused(404, "not_found")
		ana.get(nowhere).refused(404, "not_found")
	}
	ana.get("/backfills/0190c0de-0000-7000-8000-000000000000").refused(404, "not_found")
}

// Fires of the period that nobody has decided about yet are the backfill's: the schedule does not make up for them too.
func TestABackfillTakesWhatWasMissed(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example(trigger(object{"cron": "0 * * * *"})))
	hour := time.Unix(in.sql(`update triggers set next_fire_at = date_trunc('hour', now()) - interval '3 hours',
		due_at = date_trunc('hour', now()) - interval '3 hours' returning extract(epoch from date_trunc('hour', now()))::bigint`), 0).UTC()
	at := func(hours int) string {
		return hour.Add(time.Duration(hours) * time.Hour).Format("2006-01-02T15:04:05.000Z")
	}
	b := ana.post(path+"/triggers/morning/backfills", object{"from": at(-5), "to": at(-1)}).want(201)
	if b.number("total") != "5" {
		t.Errorf("the backfill: %v", b)
	}
	rows := ana.get(path + "/occurrences").want(200).items("items")
	if len(rows) != 1 {
		t.Fatalf("the ledger: %v", rows)
	}
	got := fmt.Sprint(rows[0].text("fire_at"), rows[0].text("until"), rows[0].number("count"), rows[0].text("outcome"), rows[0].text("reason"))
	want := fmt.Sprint(at(-3), at(-1), "3", "skipped", "missed; left to a backfill by ana")
	if got != want {
		t.Errorf("the ledger: %s, want %s", got, want)
	}
	if w := ana.get(path).want(200); w.text("next_fire_at") != at(0) {
		t.Errorf("the schedule goes on at %s, want %s", w.text("next_fire_at"), at(0))
	}
}
