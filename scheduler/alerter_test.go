package scheduler

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// channel makes a channel.
func (d *desk) channel() uuid.UUID {
	d.t.Helper()
	home, _ := d.who.Home()
	row, err := d.service.CreateChannel(d.t.Context(), d.who, home, alert.Channel{
		Name: "hook " + uuid.NewString(), Action: workflow.ActionHTTP, Config: json.RawMessage(`{"url":"http://target/alerts"}`),
	})
	d.must(err)
	return row.ID
}

// rule makes a rule that is about kinds.
func (d *desk) rule(change func(*alert.Rule), on ...alert.Kind) uuid.UUID {
	d.t.Helper()
	home, _ := d.who.Home()
	spec := alert.Rule{Name: "rule " + uuid.NewString(), Enabled: true, On: on, Channels: []uuid.UUID{d.channel()}, Repeat: workflow.Duration(time.Hour)}
	if change != nil {
		change(&spec)
	}
	row, err := d.service.CreateRule(d.t.Context(), d.who, home, spec)
	d.must(err)
	return row.ID
}

// alerter is one that knows nothing yet.
func (d *desk) alerter() *alerter { return &alerter{db: d.db, log: d.log, storage: d.storage} }

// alert lets the alerter look at everything.
func (d *desk) alert() {
	d.t.Helper()
	a := d.alerter()
	for {
		wait, err := a.step(d.t.Context())
		d.must(err)
		if wait > 0 {
			return
		}
	}
}

// alerts are the messages, the oldest first: kind, state, title.
func (d *desk) alerts() (lines []string) {
	d.t.Helper()
	for _, a := range d.alertRows() {
		lines = append(lines, strings.Join([]string{a.Kind, a.State, a.Title}, " | "))
	}
	return lines
}

func (d *desk) alertRows() []postgres.AlertRow {
	d.t.Helper()
	home, _ := d.who.Home()
	list, err := postgres.Alerts{Q: d.db}.List(d.t.Context(), postgres.AlertFilter{Projects: []uuid.UUID{home}, Limit: 100})
	d.must(err)
	slices.Reverse(list)
	return list
}

// ends makes runs of a workflow that end so, one after the other.
func (d *desk) ends(workflow uuid.UUID, statuses ...run.Status) {
	d.t.Helper()
	for _, status := range statuses {
		d.finish(d.start(workflow), status, `{}`)
	}
}

// later lets the messages so far be of an hour ago.
func (d *desk) later() {
	d.t.Helper()
	d.exec(`update alert_incidents set told_at = told_at - interval '1 hour'`)
}

func TestAFailureIsToldOnce(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Failure, alert.Recovery)
	wf := d.save(named("Import"))
	d.ends(wf, run.Succeeded, run.Failed)
	d.alert()
	d.alert()
	d.same([]string{"failure | out | Import failed"}, d.alerts())
	first := d.alertRows()[0]
	has(t, first.Text, "Step n: so it was", "Since ")
	if len(first.Deliveries) != 1 || first.Deliveries[0].State != postgres.DeliveryWaiting || first.RunID == nil {
		t.Errorf("%+v", first)
	}
	d.ends(wf, run.Failed, run.Failed)
	d.alert()
	if n := len(d.alerts()); n != 1 {
		t.Errorf("%d messages of one cause", n)
	}
	d.later()
	d.alert()
	d.alert()
	d.same([]string{"failure | out | Import failed", "failure | out | Import keeps failing"}, d.alerts())
	has(t, d.alertRows()[1].Text, "3 times since", "2 of them since the message before")
	d.later() // nothing happened since: nothing is to be said
	d.alert()
	if n := len(d.alerts()); n != 2 {
		t.Errorf("%d messages", n)
	}
	d.ends(wf, run.Cancelled, run.Succeeded, run.Succeeded)
	d.alert()
	d.alert()
	d.same([]string{"recovery | out | Import succeeded again"}, d.alerts()[2:])
	d.ends(wf, run.Failed)
	d.alert()
	d.same([]string{"failure | out | Import failed"}, d.alerts()[3:])
}

func TestAFailureAndItsEndBetweenTwoLooks(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Failure, alert.Recovery)
	wf := d.save(named("Import"))
	d.ends(wf, run.Failed, run.Succeeded)
	d.alert()
	d.same([]string{"failure | out | Import failed", "recovery | out | Import succeeded again"}, d.alerts())
}

func TestOnlyAfterFailuresInARow(t *testing.T) {
	d := newDesk(t)
	d.rule(func(r *alert.Rule) { r.AfterFailures = 3 }, alert.Failure, alert.Recovery)
	wf := d.save(named("Import"))
	d.ends(wf, run.Failed, run.Failed, run.Succeeded, run.Failed, run.Cancelled, run.Failed)
	d.alert()
	if n := len(d.alerts()); n != 0 {
		t.Fatalf("%d messages after two in a row", n)
	}
	d.ends(wf, run.Failed, run.Succeeded)
	d.alert()
	d.same([]string{"failure | out | Import failed 3 times in a row", "recovery | out | Import succeeded again"}, d.alerts())
}

func TestWhichWorkflows(t *testing.T) {
	d := newDesk(t)
	mine, other := d.save(named("mine")), d.save(named("other"))
	id := d.rule(func(r *alert.Rule) { r.Workflows = []uuid.UUID{mine} }, alert.Failure)
	d.ends(mine, run.Failed)
	d.ends(other, run.Failed)
	d.alert()
	d.same([]string{"failure | out | mine failed"}, d.alerts())
	if n := d.count(`select count(*) from alert_news`); n != 0 {
		t.Errorf("%d news are left", n)
	}
	home, _ := d.who.Home()
	row, err := postgres.AlertRules{Q: d.db}.Get(t.Context(), []uuid.UUID{home}, id)
	d.must(err)
	row.Spec.Enabled = false
	_, err = d.service.ReplaceRule(t.Context(), d.who, id, row.Spec)
	d.must(err)
	d.ends(mine, run.Failed)
	if n := d.count(`select count(*) from alert_news`) + d.count(`select count(*) from alert_incidents`); n != 0 {
		t.Errorf("%d traces of what no rule is about", n)
	}
}

func TestMissedAndSkippedOccurrences(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Missed, alert.Recovery)
	wf := d.create(workflow.Trigger{Every: workflow.Duration(time.Hour), Missed: "skip"})
	d.pass(3*time.Hour + 2*time.Minute) // all three are past their grace
	d.tick()
	d.alert()
	d.same([]string{"missed | out | w did not run when it was due"}, d.alerts())
	has(t, d.alertRows()[0].Text, "Trigger: t", "Why: ", "3 times")
	d.pass(58 * time.Minute) // one is due now
	d.tick()
	d.alert()
	d.same([]string{"recovery | out | w runs on time again"}, d.alerts()[1:])
	d.pass(time.Hour) // the run before has not ended
	d.tick()
	d.alert()
	d.same([]string{"missed | out | w did not run when it was due"}, d.alerts()[2:])
	has(t, strings.Join(d.told(wf), ","), "overlap")
}

func TestLateAndHeldRuns(t *testing.T) {
	d := newDesk(t)
	d.rule(func(r *alert.Rule) {
		r.StartWithin, r.FinishWithin = workflow.Duration(time.Minute), workflow.Duration(time.Hour)
	}, alert.LateStart, alert.LateFinish, alert.Held, alert.Recovery)
	wf := d.save(named("Import"))
	id := d.start(wf)
	d.alert()
	if n := len(d.alerts()); n != 0 {
		t.Fatalf("%d messages about a run that is in time", n)
	}
	d.exec(`update runs set created_at = created_at - interval '2 minutes' where id = $1`, id)
	d.alert()
	d.alert()
	d.same([]string{"late_start | out | Import did not begin in time"}, d.alerts())
	has(t, d.alertRows()[0].Text, "within 1m")

	live := postgres.Live{Q: d.db}
	claimed, err := live.Claim(t.Context(), "test", []run.Ticket{{ID: id, Queue: run.DefaultQueue}})
	d.must(err)
	d.alert()
	d.same([]string{"recovery | out | Import has begun"}, d.alerts()[1:])
	_, err = live.Write(t.Context(), "test", []postgres.Record{{RunID: id, Attempt: claimed[0].Attempt, Outcome: postgres.Hold, Reason: "did it happen?"}})
	d.must(err)
	d.alert()
	d.alert()
	d.same([]string{"held | out | Import waits for a person"}, d.alerts()[2:])
	has(t, d.alertRows()[2].Text, "Why: did it happen?")
	d.exec(`update runs set created_at = created_at - interval '2 hours' where id = $1`, id)
	d.alert()
	d.same([]string{"late_finish | out | Import did not end in time"}, d.alerts()[3:])
	d.later() // both go on
	d.alert()
	if n := len(d.alerts()); n != 6 {
		t.Errorf("what goes on is not repeated: %q", d.alerts())
	}
	_, err = live.End(t.Context(), []uuid.UUID{id}, run.Cancelled, "enough")
	d.must(err)
	d.alert()
	over := d.alerts()[6:]
	slices.Sort(over)
	d.same([]string{"recovery | out | Import does not wait for a person any more", "recovery | out | Import has ended"}, over)
	_, err = postgres.AlertNews{Q: d.db}.Forget(t.Context())
	d.must(err)
	if n := d.count(`select count(*) from alert_seen`); n != 0 {
		t.Errorf("%d runs are remembered that have ended", n)
	}
}

func TestALateOccurrenceCountsFromWhenItWasDue(t *testing.T) {
	d := newDesk(t)
	d.rule(func(r *alert.Rule) { r.StartWithin = workflow.Duration(time.Minute) }, alert.LateStart)
	id := d.start(d.save(named("Import")))
	d.exec(`update runs set fire_at = now() - interval '2 minutes' where id = $1`, id)
	d.alert()
	d.same([]string{"late_start | out | Import did not begin in time"}, d.alerts())
}

func TestMoreLiveRunsThanOneLookSees(t *testing.T) {
	d := newDesk(t)
	d.rule(func(r *alert.Rule) { r.StartWithin = workflow.Duration(time.Minute) }, alert.LateStart)
	wf := d.save(named("Import"))
	d.start(wf)
	d.exec(`insert into runs (id, project_id, workflow_id, version, trigger, created_at)
		select first_id_at(now() - n * interval '1 second'), r.project_id, r.workflow_id, 1, 'manual', now() - interval '1 hour'
		  from runs r, generate_series(1, 2500) n`)
	d.exec(`insert into run_live (id, project_id, workflow_id) select id, project_id, workflow_id from runs where id not in (select id from run_live)`)
	a := d.alerter()
	for range 3 {
		_, err := a.step(t.Context())
		d.must(err)
	}
	if n := d.count(`select count from alert_incidents`); n != 2500 || a.at != (uuid.UUID{}) {
		t.Errorf("%d late runs were counted; the look stands at %s", n, a.at)
	}
}

func TestLateHeartbeatsAreTold(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Heartbeat, alert.Recovery)
	id := d.save(named("Backup", beating()))
	d.tick()
	d.age(2 * time.Hour)
	d.tick()
	d.alert()
	d.same([]string{"heartbeat | out | Backup: no ping"}, d.alerts())
	d.signal(id, postgres.SignalPing)
	d.tick()
	d.alert()
	d.same([]string{"recovery | out | Backup: pings come again"}, d.alerts()[1:])
}

func TestAMutedWorkflowIsNotHeardOf(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Failure, alert.Recovery)
	short, long := d.save(named("short")), d.save(named("long"))
	for _, wf := range []uuid.UUID{short, long} {
		_, err := d.service.Mute(t.Context(), d.who, wf, time.Hour)
		d.must(err)
		d.ends(wf, run.Failed)
	}
	d.ends(short, run.Succeeded)
	d.alert()
	if n := len(d.alerts()); n != 0 {
		t.Fatalf("%q of muted workflows", d.alerts())
	}
	d.exec(`update alert_mutes set until = now()`)
	d.alert()
	d.same([]string{"failure | out | long failed"}, d.alerts()) // it still is; the other was over before
}

// quietNow are quiet hours in which the test runs, unless it is one minute from their end.
func quietNow(drop bool) *alert.Quiet {
	now := time.Now().UTC()
	return &alert.Quiet{Days: alert.Weekdays, From: now.Add(-time.Hour).Format("15:04"), To: now.Add(time.Hour).Format("15:04"), Drop: drop}
}

func TestQuietHoursEndWithOneDigest(t *testing.T) {
	d := newDesk(t)
	d.rule(func(r *alert.Rule) { r.Quiet, r.Language = quietNow(false), "es" }, alert.Failure)
	d.ends(d.save(named("Uno")), run.Failed)
	d.ends(d.save(named("Dos")), run.Failed)
	d.alert()
	d.same([]string{"failure | kept | Uno ha fallado", "failure | kept | Dos ha fallado"}, d.alerts())
	if at := d.alertRows()[0].ReleaseAt; at == nil || time.Until(*at) > time.Hour || time.Until(*at) < 58*time.Minute {
		t.Errorf("kept until %v", at)
	}
	d.exec(`update alerts set release_at = now()`)
	d.alert()
	d.alert()
	d.same([]string{
		"failure | digested | Uno ha fallado", "failure | digested | Dos ha fallado", "digest | out | 2 alertas de las horas de silencio",
	}, d.alerts())
	digest := d.alertRows()[2]
	has(t, digest.Text, "• Uno ha fallado\n• Dos ha fallado")
	if len(digest.Deliveries) != 1 || *d.alertRows()[0].DigestID != digest.ID {
		t.Errorf("%+v", digest)
	}
}

func TestASingleKeptMessageIsSentAsItIs(t *testing.T) {
	d := newDesk(t)
	d.rule(func(r *alert.Rule) { r.Quiet = quietNow(false) }, alert.Failure)
	d.ends(d.save(named("Import")), run.Failed)
	d.alert()
	d.exec(`update alerts set release_at = now()`)
	d.alert()
	d.same([]string{"failure | out | Import failed"}, d.alerts())
	if n := len(d.alertRows()[0].Deliveries); n != 1 {
		t.Errorf("%d deliveries", n)
	}
}

func TestQuietHoursThatDrop(t *testing.T) {
	d := newDesk(t)
	d.rule(func(r *alert.Rule) { r.Quiet = quietNow(true) }, alert.Failure)
	d.ends(d.save(named("Import")), run.Failed)
	d.alert()
	d.same([]string{"failure | dropped | Import failed"}, d.alerts())
}

// Many schedulers look at the same time; each cause is told once.
func TestManySchedulersTellOnce(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Failure)
	const workflows = 20
	for i := range workflows {
		d.ends(d.save(named("w"+string(rune('a'+i)))), run.Failed, run.Failed)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			a := d.alerter()
			for range 10 {
				if _, err := a.step(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(d.alerts()); n != workflows {
		t.Errorf("%d messages about %d workflows", n, workflows)
	}
}

func TestOldAlertsGo(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Failure)
	d.ends(d.save(named("Import")), run.Failed)
	d.alert()
	j := &janitor{db: d.db, log: d.log, keep: -time.Minute} // even what was made just now is old
	if _, err := j.tidyAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(d.alerts()); n != 0 {
		t.Errorf("%d messages are kept", n)
	}
}
