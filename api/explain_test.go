package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// past makes a workflow one that was there at the beginning of 2025.
func (in *installation) past(path string) {
	in.t.Helper()
	id := strings.TrimPrefix(path, "/workflows/")
	for _, statement := range []string{
		`update workflow_versions set created_at = '2025-01-01 00:00Z' where workflow_id = $1 and version = 1 returning 0`,
		`with t as (update triggers set created_at = '2025-01-01 00:00Z', anchor_at = '2025-01-01 00:00Z' where workflow_id = $1 returning 0) select count(*) from t`,
	} {
		in.sql(statement, id)
	}
}

// triggerOf finds the row of a trigger.
func (in *installation) triggerOf(path, key string) postgres.TriggerRow {
	in.t.Helper()
	row, err := postgres.Triggers{Q: in.db}.Find(in.t.Context(), uuid.MustParse(strings.TrimPrefix(path, "/workflows/")), key)
	if err != nil {
		in.t.Fatal(err)
	}
	return row
}

// ledger writes rows of the ledger for a trigger; off and on are when it was off.
func (in *installation) ledger(t postgres.TriggerRow, rows ...postgres.OccurrenceRow) {
	in.t.Helper()
	for i := range rows {
		rows[i].TriggerID, rows[i].WorkflowID, rows[i].Count = t.ID, t.WorkflowID, max(1, rows[i].Count)
	}
	if _, err := (postgres.Occurrences{Q: in.db}).Insert(in.t.Context(), rows); err != nil {
		in.t.Fatal(err)
	}
}

func (in *installation) off(t postgres.TriggerRow, code, detail, off, on string) {
	in.t.Helper()
	in.sql(`insert into trigger_pauses (trigger_id, off_at, on_at, code, detail) values ($1, $2, $3, $4, $5) returning 0`,
		t.ID, instant(in.t, off), instant(in.t, on), code, detail)
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A row of the ledger for the fire at nine in Madrid on a day of 2025.
func nineOn(t *testing.T, day, outcome, code, reason string, run *uuid.UUID) postgres.OccurrenceRow {
	t.Helper()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", day+" 09:00", madrid)
	if err != nil {
		t.Fatal(err)
	}
	row := postgres.OccurrenceRow{FireAt: at, Outcome: outcome, RunID: run}
	if code != "" {
		row.Code, row.Reason = &code, &reason
	}
	return row
}

// TestWhyATriggerRanOrDidNot asks about every kind of time, in both languages. The workflow is there since the beginning
// of 2025.
func TestWhyATriggerRanOrDidNot(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	ana.post("/calendars", object{"name": "holidays", "dates": list{"2025-12-25", "2100-01-06"}}).want(201)
	madrid := func(id, cron string, more ...any) object {
		o := object{"id": id, "type": "schedule", "cron": cron, "timezone": "Europe/Madrid"}
		for i := 0; i < len(more); i += 2 {
			o[more[i].(string)] = more[i+1]
		}
		return o
	}
	path, _ := ana.create(example(func(w object) {
		w["triggers"] = list{
			madrid("morning", "0 9 * * MON-FRI", "excluded_dates", list{"2025-05-01", "2100-05-03"}, "calendar", "holidays"),
			madrid("night", "30 2 * * *"),
			madrid("strict", "30 2 * * *", "gap", "skip"),
			madrid("second", "30 2 * * *", "overlap_hour", "second"),
			madrid("limited", "0 9 * * *", "max_runs", 2),
			madrid("bounded", "0 9 * * *", "starts_at", "2025-03-01T00:00:00Z", "ends_at", "2100-03-01T00:00:00Z"),
			madrid("spread", "0 9 * * *", "jitter", "1h"),
			object{"id": "often", "type": "schedule", "every": "90m"},
			object{"id": "once", "type": "schedule", "at": "2100-01-01T09:00:00Z"},
			madrid("sleeping", "0 9 * * *"),
			madrid("failing", "0 9 * * *", "pause_after_failures", 3),
			madrid("gone", "0 9 * * *"),
		}
	}))
	in.past(path)
	in.sql(`update triggers set runs_made = 2 where key = 'limited' returning 0`)
	in.sql(`update triggers set next_fire_at = '2025-12-01 08:00Z' where key = 'morning' returning 0`)
	run := uuid.New()
	in.ledger(in.triggerOf(path, "morning"),
		nineOn(t, "2025-01-06", postgres.OutcomeRan, "", "", &run),
		nineOn(t, "2025-01-07", postgres.OutcomeRanLate, "", "", &run),
		nineOn(t, "2025-01-08", postgres.OutcomeCoalesced, postgres.CodeMissed, "missed; a newer fire ran for it", &run),
		nineOn(t, "2025-01-09", postgres.OutcomeSkipped, postgres.CodeOverlap, "the run before has not finished", &run),
		nineOn(t, "2025-05-01", postgres.OutcomeSkipped, postgres.CodeExcluded, "2025-05-01 is excluded", nil),
		nineOn(t, "2025-12-25", postgres.OutcomeSkipped, postgres.CodeExcluded, "2025-12-25 is in the calendar holidays", nil),
		nineOn(t, "2025-01-13", postgres.OutcomeSkipped, postgres.CodeMissed, "missed", nil),
		nineOn(t, "2025-01-14", postgres.OutcomeSkipped, postgres.CodeOutsideWindow, "outside_window", nil),
		nineOn(t, "2025-01-15", postgres.OutcomeSkipped, postgres.CodeLimit, "limit", nil),
		nineOn(t, "2025-01-16", postgres.OutcomeSkipped, postgres.CodeQueueFull, "1000 runs of the trigger wait already", nil),
		nineOn(t, "2025-01-17", postgres.OutcomeSuperseded, postgres.CodeChanged, "changed in version 7", nil),
		nineOn(t, "2025-01-20", postgres.OutcomeSuperseded, postgres.CodeZoneData, "the rules of its time zone changed (2099z)", nil),
		nineOn(t, "2025-01-21", postgres.OutcomeRan, postgres.CodeBackfill, "backfilled by ana", &run),
		nineOn(t, "2025-01-22", postgres.OutcomeSuperseded, postgres.CodeRemoved, "the trigger was removed", nil),
	)
	sleeping, failing := in.triggerOf(path, "sleeping"), in.triggerOf(path, "failing")
	week := nineOn(t, "2025-02-03", postgres.OutcomeSkipped, postgres.CodeDisabled, "disabled by bob at 2025-02-02 12:00:00 UTC", nil)
	until := instant(t, "2025-02-07T08:00:00Z")
	week.UntilAt, week.Count = &until, 5
	in.ledger(sleeping, week)
	in.off(sleeping, postgres.PauseDisabled, "bob", "2025-02-02T12:00:00Z", "2025-02-09T12:00:00Z")
	in.off(sleeping, postgres.PauseDisabled, "", "2025-03-02T12:00:00Z", "2025-03-09T12:00:00Z")
	in.ledger(failing, nineOn(t, "2025-02-03", postgres.OutcomeSkipped, postgres.CodePaused, "paused after 3 failed runs in a row", nil))
	in.off(failing, postgres.PauseFailures, "3", "2025-02-02T12:00:00Z", "2025-02-09T12:00:00Z")
	in.ledger(in.triggerOf(path, "limited"), nineOn(t, "2025-02-03", postgres.OutcomeSkipped, postgres.CodeMaxRuns, "the trigger has made its 2 runs", nil))
	in.ledger(in.triggerOf(path, "spread"), nineOn(t, "2025-02-03", postgres.OutcomeRan, "", "", &run))
	in.off(in.triggerOf(path, "gone"), postgres.PauseRemoved, "bob", "2025-02-02T12:00:00Z", "2025-02-09T12:00:00Z")

	for _, c := range []struct {
		trigger, at string
		answer      string
		expected    bool
		en, es      string
	}{
		// What the ledger has.
		{"morning", "2025-01-06T09:00", "ran", true, "It ran on time.", "Se ejecutó a su hora."},
		{"morning", "2025-01-06T08:00:00Z", "ran", true, "It ran on time.", "Se ejecutó a su hora."},
		{"morning", "2025-01-06T09:00:00+01:00", "ran", true, "It ran on time.", "Se ejecutó a su hora."},
		{"morning", "2025-01-07T09:00", "ran_late", true, "missed at its time, and ran later", "se ejecutó más tarde"},
		{"morning", "2025-01-08T09:00", "coalesced", true, "one run was made for it and a newer fire", "una sola ejecución para este disparo y otro"},
		{"morning", "2025-01-09T09:00", "skipped", true, "did not run: a run before it had not finished.", "no se ejecutó: una ejecución anterior no había terminado."},
		{"morning", "2025-05-01T09:00", "skipped", true, "the date 2025-05-01 is excluded.", "la fecha 2025-05-01 está excluida."},
		{"morning", "2025-12-25T09:00", "skipped", true, "the date 2025-12-25 is in the calendar holidays.", "la fecha 2025-12-25 está en el calendario holidays."},
		{"morning", "2025-01-13T09:00", "skipped", true, "no scheduler was there in time", "no hubo planificador a tiempo"},
		{"morning", "2025-01-14T09:00", "skipped", true, "longer than the catch-up window", "más tiempo del que se recupera"},
		{"morning", "2025-01-15T09:00", "skipped", true, "fill the catch-up limit", "llenan el límite de recuperación"},
		{"morning", "2025-01-16T09:00", "skipped", true, "were waiting as may", "como se permite"},
		{"morning", "2025-01-17T09:00", "superseded", true, "version 7 of the workflow changed the schedule.", "la versión 7 del flujo cambió la programación."},
		{"morning", "2025-01-20T09:00", "superseded", true, "the rules of its time zone changed.", "cambiaron las reglas de su zona horaria."},
		{"morning", "2025-01-21T09:00", "backfilled", true, "a backfill did.", "lo hizo una recuperación."},
		{"morning", "2025-01-22T09:00", "superseded", true, "an edit removed the trigger.", "una edición quitó el disparador."},
		{"sleeping", "2025-02-03T09:00", "skipped", true, "it was disabled by bob at 2025-02-02 13:00:00 +01:00.", "lo desactivó bob el 2025-02-02 13:00:00 +01:00."},
		{"sleeping", "2025-02-05T09:00", "skipped", true, "it was disabled by bob", "lo desactivó bob"},
		{"failing", "2025-02-03T09:00", "skipped", true, "the trigger stopped after 3 failed runs in a row, at 2025-02-02 13:00:00 +01:00.", "el disparador se detuvo tras 3 ejecuciones fallidas seguidas, el 2025-02-02"},
		{"limited", "2025-02-03T09:00", "skipped", true, "has made all its 2 runs.", "ya ha hecho sus 2 ejecuciones."},
		{"spread", "2025-02-03T09:00", "ran", true, "with its jitter it was to begin at 2025-02-03 09:", "con su dispersión debía empezar el 2025-02-03 09:"},
		// What it does not have.
		{"sleeping", "2025-03-04T09:00", "disabled", true, "It was disabled at 2025-03-02", "Se desactivó el 2025-03-02"},
		{"sleeping", "2025-02-08T09:00", "disabled", true, "It was disabled by bob", "Lo desactivó bob"},
		{"failing", "2025-02-05T09:00", "paused", true, "The trigger stopped after 3 failed runs", "El disparador se detuvo tras 3"},
		{"gone", "2025-02-05T09:00", "removed", true, "The trigger was removed by bob", "El disparador lo quitó bob"},
		{"gone", "2025-02-05T10:00", "removed", false, "The trigger was removed by bob", "El disparador lo quitó bob"},
		{"morning", "2025-06-02T09:00", "no_record", true, "the ledger has no record of it", "el registro no lo tiene"},
		{"morning", "2025-12-01T09:00", "overdue", true, "no scheduler has come to it yet", "ningún planificador ha llegado todavía"},
		{"morning", "2100-01-04T09:00", "will_run", true, "It will run at 2100-01-04 09:00:00 +01:00.", "Se ejecutará el 2100-01-04 09:00:00 +01:00."},
		{"morning", "2100-05-03T09:00", "excluded", true, "The date 2100-05-03 is excluded.", "La fecha 2100-05-03 está excluida."},
		{"morning", "2100-01-06T09:00", "excluded", true, "The date 2100-01-06 is in the calendar holidays.", "La fecha 2100-01-06 está en el calendario holidays."},
		{"limited", "2100-01-04T09:00", "max_runs", true, "The trigger has made all its 2 runs.", "El disparador ya ha hecho sus 2 ejecuciones."},
		{"morning", "2024-12-02T09:00", "before_created", false, "it was created at 2025-01-01 01:00:00 +01:00.", "se creó el 2025-01-01 01:00:00 +01:00."},
		// Why there is no fire.
		{"morning", "2025-01-06T10:00", "field", false, "the hour is 10, wanted 9", "hora: es 10 y se pide 9"},
		{"morning", "2025-01-05T09:00", "field", false, "the weekday is Sunday, wanted MON-FRI", "es domingo y se pide MON-FRI"},
		{"bounded", "2025-02-03T09:00", "before_start", false, "starts later, at 2025-03-01", "empieza más tarde, el 2025-03-01"},
		{"bounded", "2100-03-02T09:00", "after_end", false, "ended before, at 2100-03-01", "terminó antes, el 2100-03-01"},
		{"night", "2025-03-30T02:30", "no_record", true, "The clock jumps over 02:30 that day, so that the schedule fires when the jump is over.", "El reloj salta las 02:30 ese día"},
		{"strict", "2025-03-30T02:30", "gap", false, "leaves such times out", "deja fuera esas horas"},
		{"second", "2025-10-26T02:30:00+02:00", "repeated", false, "twice that day, and the schedule fires at the other pass", "se dispara en la otra pasada"},
		{"often", "2025-01-06T00:10:00Z", "interval", false, "the interval of 1h30m0s", "el intervalo de 1h30m0s"},
		{"once", "2025-01-06T09:00:00Z", "once", false, "fires once, at 2100-01-01 09:00:00 UTC", "una sola vez, el 2100-01-01"},
	} {
		where := path + "/triggers/" + c.trigger + "/explain?at=" + url.QueryEscape(c.at)
		for lang, says := range map[string]string{"en": c.en, "es": c.es} {
			e := ana.get(where, header("Accept-Language", lang)).want(200)
			if !strings.Contains(e.text("text"), says) && !strings.Contains(e.text("text"), strings.ToUpper(says[:1])+says[1:]) {
				t.Errorf("%s at %s says %q, want %q", c.trigger, c.at, e.text("text"), says)
			}
			if e.text("answer") != c.answer || e["expected"] != c.expected || (e.text("fire_at") != "") != c.expected {
				t.Errorf("%s at %s: %v", c.trigger, c.at, e)
			}
			if strings.Contains(e.text("text"), "%!") || strings.Contains(e.text("text"), "..") {
				t.Errorf("%s at %s: %s", c.trigger, c.at, e.text("text"))
			}
		}
	}

	// What was run leads to its run, and the times around it are named.
	e := ana.get(path + "/triggers/morning/explain?at=2025-01-09T09:00").want(200)
	if o := e.child("occurrence"); o.text("run_id") != run.String() || o.text("code") != "overlap" || o.text("outcome") != "skipped" {
		t.Errorf("the run that was in the way: %v", e)
	}
	if e.text("before") != "2025-01-08T08:00:00.000Z" || e.text("after") != "2025-01-10T08:00:00.000Z" || e.number("version") != "1" || e.text("timezone") != "Europe/Madrid" {
		t.Errorf("around it: %v", e)
	}
	if e := ana.get(path + "/triggers/morning/explain?at=2025-04-30T10:00").want(200); e.text("after") != "2025-05-02T07:00:00.000Z" {
		t.Errorf("an excluded date is no next fire: %v", e)
	}
	if e := ana.get(path + "/triggers/night/explain?at=2025-03-30T02:30").want(200); e.text("fire_at") != "2025-03-30T01:00:00.000Z" {
		t.Errorf("the end of the gap: %v", e)
	}
	spread := ana.get(path + "/triggers/spread/explain?at=2025-02-03T09:00").want(200)
	if spread.text("fire_at") != "2025-02-03T08:00:00.000Z" || spread.text("starts_at") <= spread.text("fire_at") || spread.text("starts_at") >= "2025-02-03T09:00:00.000Z" {
		t.Errorf("with jitter: %v", spread)
	}
}

// An explanation is about the version that was in force, not about the one that is now.
func TestExplainThroughVersions(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	in.past(path)
	next := ana.get(path).want(200).text("next_fire_at")
	ana.put(path, example(trigger(object{"cron": "0 18 * * *"}))).want(200)
	where := path + "/triggers/morning/explain?at="

	e := ana.get(where + next).want(200)
	if e.text("answer") != "superseded" || !strings.Contains(e.text("text"), "version 2 of the workflow changed the schedule") {
		t.Errorf("what was planned: %v", e)
	}
	e = ana.get(where + "2025-01-06T18:00").want(200)
	if e.text("answer") != "field" || e.number("version") != "1" || !strings.Contains(e.text("text"), "This is the schedule of version 1") {
		t.Errorf("the time of now, then: %v", e)
	}
	e = ana.get(where + "2100-01-04T18:00").want(200)
	if e.text("answer") != "will_run" || e.number("version") != "2" {
		t.Errorf("the time of now, later: %v", e)
	}

	ana.put(path, example(func(w object) { w["triggers"] = list{} })).want(200)
	if e := ana.get(where + "2100-01-04T18:00").want(200); e.text("answer") != "removed" || !strings.Contains(e.text("text"), "removed by ana") {
		t.Errorf("after it was removed: %v", e)
	}
	ana.put(path, example(trigger(object{"cron": "0 18 * * *"}))).want(200)
	if e := ana.get(where + "2100-01-04T18:00").want(200); e.text("answer") != "will_run" {
		t.Errorf("after it came back: %v", e)
	}
	in.sql(`update workflow_versions set created_at = '2025-02-01 00:00Z' where version = 2 returning 0`)
	in.sql(`update workflow_versions set created_at = '2025-03-01 00:00Z' where version = 3 returning 0`)
	if e := ana.get(where + "2025-03-05T18:00").want(200); e.text("answer") != "not_in_version" || !strings.Contains(e.text("text"), "Version 3") {
		t.Errorf("of a time without it: %v", e)
	}
}

// What is to come does not run while somebody has switched it off, which is told with the name.
func TestExplainWhileItIsOff(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	for _, c := range []struct{ do, answer, en, es string }{
		{"disable", "disabled", "It was disabled by ana at ", "Lo desactivó ana el "},
		{"enable", "will_run", "It will run at 2100-01-04 09:00:00 +01:00.", "Se ejecutará el 2100-01-04 09:00:00 +01:00."},
	} {
		ana.post(path+"/"+c.do, nil).want(200)
		for lang, says := range map[string]string{"en": c.en, "es": c.es} {
			e := ana.get(path+"/triggers/morning/explain?at=2100-01-04T09:00", header("Accept-Language", lang)).want(200)
			if e.text("answer") != c.answer || !strings.HasPrefix(e.text("text"), says) {
				t.Errorf("after %s: %v", c.do, e)
			}
		}
	}
}

// A backfill that ran what the schedule ran already is told beside it.
func TestExplainABackfilledFire(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	in.past(path)
	run := uuid.New()
	in.ledger(in.triggerOf(path, "morning"), nineOn(t, "2025-01-06", postgres.OutcomeRan, "", "", &run))
	ana.post(path+"/triggers/morning/backfills", january()).want(201)
	again := uuid.New()
	in.sql(`update backfill_fires set state = 'started', run_id = $1 where fire_at = '2025-01-06 08:00Z' returning 0`, again)
	e := ana.get(path + "/triggers/morning/explain?at=2025-01-06T09:00").want(200)
	if e.text("answer") != "ran" || e.text("text") != "It ran on time. A backfill has run it as well." || e["backfilled"].([]any)[0] != again.String() {
		t.Errorf("%v", e)
	}
}

func TestExplanationsThatAreRefused(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	for _, at := range []string{"", "yesterday, at nine", "2025-02-30T09:00", "2025-01-06T25:00", "1960-01-06T09:00", "2300-01-06T09:00", "2025-01-06 09:00:00", "0000000000000000"} {
		a := ana.get(path + "/triggers/morning/explain?at=" + url.QueryEscape(at))
		a.want(422)
	}
	ana.get(path+"/triggers/evening/explain?at=2025-01-06T09:00").refused(404, "not_found")
}
