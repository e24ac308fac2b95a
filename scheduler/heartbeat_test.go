package scheduler

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// beating is a trigger that expects a ping each hour, at most five minutes late.
func beating(change ...func(*workflow.Trigger)) workflow.Trigger {
	t := workflow.Trigger{
		ID: "t", Type: workflow.TriggerHeartbeat, Every: workflow.Duration(time.Hour), Grace: workflow.Duration(5 * time.Minute), OnRecovery: true,
	}
	for _, f := range change {
		f(&t)
	}
	return t
}

// signal says something as a job does.
func (d *desk) signal(workflow uuid.UUID, kind string) {
	d.t.Helper()
	d.must(d.service.Signal(d.t.Context(), postgres.Signal{TriggerID: d.trigger(workflow).ID, Kind: kind, Message: "a word", Address: "127.0.0.1"}))
}

// age lets time pass for heartbeats.
func (d *desk) age(by time.Duration) {
	d.t.Helper()
	d.pass(by)
	d.exec(`update heartbeats set armed_at = armed_at - $1::interval, pinged_at = pinged_at - $1::interval,
		started_at = started_at - $1::interval, failed_at = failed_at - $1::interval, late_since = late_since - $1::interval`, by)
}

func (d *desk) beat(workflow uuid.UUID) postgres.Heartbeat {
	d.t.Helper()
	id := d.trigger(workflow).ID
	beats, err := postgres.Heartbeats{Q: d.db}.Of(d.t.Context(), []uuid.UUID{id})
	d.must(err)
	return beats[id]
}

func TestAPingThatDoesNotCome(t *testing.T) {
	d := newDesk(t)
	id := d.save(named("w", beating()))
	d.tick() // it is armed: nothing is late
	if row := d.trigger(id); row.NextFireAt != nil || row.DueAt == nil || time.Until(*row.DueAt) < time.Hour {
		t.Fatalf("due at %v", row.DueAt)
	}
	d.age(50 * time.Minute)
	d.signal(id, postgres.SignalPing)
	d.age(20 * time.Minute) // past what was due first
	d.tick()
	if n := len(d.runsOf(id)); n != 0 {
		t.Fatalf("%d runs although a ping came", n)
	}
	if row := d.trigger(id); time.Until(*row.DueAt) < 40*time.Minute {
		t.Errorf("after a ping it is due at %v", row.DueAt)
	}

	d.age(70 * time.Minute)
	d.tick()
	d.tick()
	runs := d.runsOf(id)
	if len(runs) != 1 || runs[0].Trigger != "heartbeat" {
		t.Fatalf("late: %v", runs)
	}
	has(t, string(runs[0].Inputs), `"late"`, `"why": "ping_late"`, `"last_ping": "20`, `"since": "20`)
	d.same([]string{"ran ping_late"}, d.told(id))
	if d.beat(id).LateSince == nil {
		t.Error("it does not know that it is late")
	}
	d.age(3 * time.Hour) // it stays late, and says it once
	d.tick()
	if n := len(d.runsOf(id)); n != 1 {
		t.Errorf("%d runs while it is late", n)
	}

	d.signal(id, postgres.SignalPing)
	d.tick()
	runs = d.runsOf(id)
	if len(runs) != 2 {
		t.Fatalf("recovered: %v", runs)
	}
	has(t, string(runs[1].Inputs), `"recovered"`, `"late_since"`)
	d.same([]string{"ran ping_late", "ran ping_again"}, d.told(id))
	if d.beat(id).LateSince != nil {
		t.Error("it is late still")
	}
	d.age(2 * time.Hour)
	d.tick()
	d.same([]string{"ran ping_late", "ran ping_again", "ran ping_late"}, d.told(id))
}

func TestWhatJobsSay(t *testing.T) {
	d := newDesk(t)
	quiet := func(w *workflow.Trigger) { w.OnRecovery = false }
	failing, stuck := d.save(named("failing", beating(quiet))), d.save(named("stuck", beating()))
	d.tick()
	d.signal(failing, postgres.SignalLog)
	d.tick()
	if n := len(d.runsOf(failing)); n != 0 {
		t.Errorf("a line made %d runs", n)
	}
	d.signal(failing, postgres.SignalFail)
	d.tick()
	d.same([]string{"ran ping_failed"}, d.told(failing))
	has(t, string(d.runsOf(failing)[0].Inputs), `"why": "ping_failed"`, `"message": "a word"`)
	d.signal(failing, postgres.SignalFail)
	d.tick()
	d.signal(failing, postgres.SignalPing)
	d.tick()
	d.same([]string{"ran ping_failed"}, d.told(failing))
	if d.beat(failing).LateSince != nil {
		t.Error("a ping did not make it well")
	}

	d.signal(stuck, postgres.SignalStart)
	d.tick()
	d.age(6 * time.Minute)
	d.tick()
	d.same([]string{"ran ping_unfinished"}, d.told(stuck))
}

func TestAHeartbeatThatIsSwitchedOff(t *testing.T) {
	d := newDesk(t)
	id := d.save(named("w", beating()))
	d.enable(id, false)
	d.age(3 * time.Hour)
	d.signal(id, postgres.SignalFail)
	d.tick()
	if n := len(d.runsOf(id)); n != 0 {
		t.Errorf("%d runs while it was off", n)
	}
	d.enable(id, true) // begins anew
	d.tick()
	if n := len(d.runsOf(id)); n != 0 || d.beat(id).LateSince != nil {
		t.Errorf("%d runs once it was on", n)
	}
	d.age(90 * time.Minute)
	d.tick()
	d.same([]string{"ran ping_late"}, d.told(id))
}

// By a cron expression a ping is due at its times, whenever the one before came.
func TestPingsByCron(t *testing.T) {
	d := newDesk(t)
	id := d.save(named("w", beating(func(w *workflow.Trigger) { w.Every, w.Cron = 0, "0 * * * *" })))
	d.tick()
	row := d.trigger(id)
	if want := time.Now().UTC().Truncate(time.Hour).Add(time.Hour + 5*time.Minute); row.DueAt == nil || row.DueAt.Sub(want).Abs() > time.Hour {
		t.Errorf("due at %v, want %v", row.DueAt, want)
	}
	if row.DueAt.UTC().Minute() != 5 {
		t.Errorf("due at %v", row.DueAt)
	}
}
