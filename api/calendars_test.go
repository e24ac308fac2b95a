package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

func TestCalendars(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	a := ana.post("/calendars", object{"name": "holidays", "description": "Of Spain", "dates": list{"2100-12-25", "2100-01-06"}})
	c := a.want(201)
	calendar := "/calendars/" + c.text("id")
	if a.header.Get("Location") != "/api/v1"+calendar || c.text("description") != "Of Spain" || dates(c) != "2100-01-06 2100-12-25" {
		t.Errorf("created %v at %q", c, a.header.Get("Location"))
	}
	if got := ana.get(calendar).want(200); got.text("name") != "holidays" || dates(got) != dates(c) {
		t.Errorf("read %v", got)
	}
	changed := ana.put(calendar, object{"name": "fiestas", "dates": list{"2100-08-15"}}).want(200)
	if changed.text("id") != c.text("id") || changed.text("name") != "fiestas" || changed.text("description") != "" || dates(changed) != "2100-08-15" {
		t.Errorf("changed to %v", changed)
	}
	// What is read may be sent back.
	if again := ana.put(calendar, changed).want(200); dates(again) != "2100-08-15" {
		t.Errorf("sent back: %v", again)
	}
	if empty := ana.put(calendar, object{"name": "fiestas", "dates": list{}}).want(200); dates(empty) != "" {
		t.Errorf("emptied: %v", empty)
	}
	other := ana.post("/calendars", object{"name": "maintenance", "dates": list{}}).want(201).text("id")
	page := ana.get("/calendars?limit=1").want(200)
	rest := ana.get("/calendars?limit=1&cursor=" + page.text("next_cursor")).want(200)
	if page.items("items")[0].text("id") != other || rest.items("items")[0].text("id") != c.text("id") || rest["next_cursor"] != nil {
		t.Errorf("listed %v, then %v", page, rest)
	}
	ana.delete(calendar).want(204)
	ana.get(calendar).refused(404, "not_found")
	ana.delete(calendar).refused(404, "not_found")
}

// dates are a calendar's, as one text.
func dates(c object) string {
	var list []string
	for _, d := range c["dates"].([]any) {
		list = append(list, d.(string))
	}
	return strings.Join(list, " ")
}

func TestCalendarsThatAreRefused(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	calendar := "/calendars/" + ana.post("/calendars", object{"name": "holidays", "dates": list{}}).want(201).text("id")
	for _, c := range []struct {
		ask           object
		pointer, code string
	}{
		{object{"dates": list{}}, "/name", "required"},
		{object{"name": "", "dates": list{}}, "/name", "minLength"},
		{object{"name": "  ", "dates": list{}}, "/name", "required"},
		{object{"name": strings.Repeat("x", 101), "dates": list{}}, "/name", "maxLength"},
		{object{"name": "x"}, "/dates", "required"},
		{object{"name": "x", "dates": list{"2100-12-25", "2100-02-30"}}, "/dates/1", "date"},
		{object{"name": "x", "dates": list{"25/12/2100"}}, "/dates/0", "pattern"},
		{object{"name": "x", "dates": list{"2100-12-25", "2100-12-25"}}, "/dates/1", "duplicate"},
		{object{"name": "x", "dates": list{"1066-01-01"}}, "/dates/0", "out_of_range"},
		{object{"name": "x", "dates": slices.Repeat(list{"2100-12-25"}, 5001)}, "/dates", "maxItems"},
		{object{"name": "x", "dates": list{}, "zone": "UTC"}, "/zone", "unknown_field"},
	} {
		for _, a := range []answer{ana.post("/calendars", c.ask), ana.put(calendar, c.ask)} {
			a.want(422)
			a.at(c.pointer, c.code)
		}
	}
	ana.post("/calendars", object{"name": "holidays", "dates": list{}}).refused(409, "calendar_exists")
	second := "/calendars/" + ana.post("/calendars", object{"name": "second", "dates": list{}}).want(201).text("id")
	ana.put(second, object{"name": "holidays", "dates": list{}}).refused(409, "calendar_exists")
}

// A calendar is its project's: others do not find it, may not name it, and may have one of the same name.
func TestCalendarsAreTheirProjects(t *testing.T) {
	in := install(t)
	ana, bob := in.user("ana"), in.user("bob")
	created := ana.post("/calendars", object{"name": "holidays", "dates": list{}}).want(201)
	calendar := "/calendars/" + created.text("id")
	bob.get(calendar).refused(404, "not_found")
	bob.put(calendar, object{"name": "mine", "dates": list{}}).refused(404, "not_found")
	bob.delete(calendar).refused(404, "not_found")
	bob.post("/calendars", object{"name": "x", "dates": list{}, "project_id": created.text("project_id")}).refused(404, "not_found")
	if items := bob.get("/calendars").want(200).items("items"); len(items) != 0 {
		t.Errorf("bob sees %v", items)
	}
	a := bob.post("/workflows", example(trigger(object{"calendar": "holidays"})))
	a.want(422)
	a.at("/triggers/0/calendar", "unknown_calendar")
	preview := object{"cron": "0 9 * * *", "calendar": "holidays"}
	a = bob.post("/schedules/preview", preview)
	a.want(422)
	a.at("/calendar", "unknown_calendar")
	preview["project_id"] = created.text("project_id")
	bob.post("/schedules/preview", preview).refused(404, "not_found")
	bob.post("/calendars", object{"name": "holidays", "dates": list{}}).want(201)

	in.join(created.text("project_id"), bob, account.Viewer)
	bob.get(calendar).want(200)
	bob.post("/schedules/preview", preview).want(200)
	bob.put(calendar, object{"name": "mine", "dates": list{}}).refused(403, "role_forbids")
	bob.delete(calendar).refused(403, "role_forbids")
}

// What a trigger names stays: it can neither go nor change its name, until no trigger names it any more.
func TestACalendarInUseStays(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	calendar := "/calendars/" + ana.post("/calendars", object{"name": "holidays", "dates": list{}}).want(201).text("id")
	path, _ := ana.create(example(trigger(object{"calendar": "holidays"})))
	for _, a := range []answer{ana.delete(calendar), ana.put(calendar, object{"name": "fiestas", "dates": list{}})} {
		if a.refused(409, "calendar_in_use"); !strings.Contains(string(a.body), "Daily exchange rate") {
			t.Errorf("it does not say who names it: %s", a.body)
		}
	}
	ana.put(calendar, object{"name": "holidays", "dates": list{"2100-12-25"}}).want(200)
	ana.put(path, example()).want(200)
	ana.put(calendar, object{"name": "fiestas", "dates": list{}}).want(200)
	ana.put(path, example(trigger(object{"calendar": "fiestas"}))).want(200)
	ana.delete(calendar).refused(409, "calendar_in_use")
	ana.delete(path).want(204)
	ana.delete(calendar).want(204)
}

// A changed calendar counts from then on: for previews, for explanations and for backfills.
func TestAChangedCalendarCounts(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	calendar := "/calendars/" + ana.post("/calendars", object{"name": "holidays", "dates": list{"2100-12-24"}}).want(201).text("id")
	path, _ := ana.create(example(trigger(object{"calendar": "holidays", "cron": "0 9 * * *"})))
	in.past(path)
	preview := func() string {
		p := ana.post("/schedules/preview", object{
			"cron": "0 9 * * *", "timezone": "Europe/Madrid", "from": "2100-12-23T12:00:00Z", "count": 2,
			"calendar": "holidays", "excluded_dates": list{"2100-12-26"},
		}).want(200)
		var days []string
		for _, f := range p.items("fires") {
			days = append(days, f.text("local")[:10])
		}
		for _, e := range p.items("excluded") {
			days = append(days, "not "+e.text("date")+" "+e.text("calendar"))
		}
		return strings.Join(days, ", ")
	}
	answers := func(day string) string {
		return ana.get(path + "/triggers/morning/explain?at=" + day + "T09:00").want(200).text("answer")
	}
	if got := preview(); got != "2100-12-25, 2100-12-27, not 2100-12-24 holidays, not 2100-12-26 " {
		t.Errorf("previewed %s", got)
	}
	if answers("2100-12-24") != "excluded" || answers("2100-12-25") != "will_run" {
		t.Errorf("the 24th is %s, the 25th %s", answers("2100-12-24"), answers("2100-12-25"))
	}
	ana.put(calendar, object{"name": "holidays", "dates": list{"2100-12-25", "2025-01-07"}}).want(200)
	if got := preview(); got != "2100-12-24, 2100-12-27, not 2100-12-25 holidays, not 2100-12-26 " {
		t.Errorf("after the change: %s", got)
	}
	if answers("2100-12-24") != "will_run" || answers("2100-12-25") != "excluded" {
		t.Errorf("after the change the 24th is %s, the 25th %s", answers("2100-12-24"), answers("2100-12-25"))
	}
	if p := ana.post(path+"/triggers/morning/backfills/preview", january()).want(200); p.number("total") != "4" || p.number("excluded") != "1" {
		t.Errorf("a backfill after the change: %v", p)
	}
}

// The next fire that is shown is one that runs.
func TestTheNextFireLeavesOutDaysOff(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	holidays := func(dates list) object { return object{"name": "holidays", "dates": dates} }
	calendar := "/calendars/" + ana.post("/calendars", holidays(list{})).want(201).text("id")
	path, _ := ana.create(example(trigger(object{
		"cron": "0 9 * * *", "starts_at": "2100-12-24T00:00:00Z", "calendar": "holidays", "excluded_dates": list{"2100-12-26"},
	})))
	for _, c := range []struct {
		off  list
		next string
	}{
		{list{}, "2100-12-24T08:00:00.000Z"},
		{list{"2100-12-24"}, "2100-12-25T08:00:00.000Z"},
		{list{"2100-12-24", "2100-12-25", "2100-12-27"}, "2100-12-28T08:00:00.000Z"},
		{list{"2100-12-25"}, "2100-12-24T08:00:00.000Z"},
	} {
		ana.put(calendar, holidays(c.off)).want(200)
		w := ana.get(path).want(200)
		if w.text("next_fire_at") != c.next || w.items("triggers")[0].text("next_fire_at") != c.next {
			t.Errorf("without %v it fires at %s, want %s", c.off, w.text("next_fire_at"), c.next)
		}
	}
}

// A trigger whose every fire is excluded would be a mistake that nobody notices.
func TestATriggerThatIsAlwaysExcluded(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	once := func(more object) object {
		return example(func(w object) {
			t := object{"id": "once", "type": "schedule", "at": "2100-12-25T09:00:00Z"}
			for name, value := range more {
				t[name] = value
			}
			w["triggers"] = list{t}
		})
	}
	ana.post("/calendars", object{"name": "holidays", "dates": list{"2100-12-25"}}).want(201)
	a := ana.post("/workflows", once(object{"calendar": "holidays"}))
	a.want(422)
	a.at("/triggers/0/calendar", "never_fires")
	a = ana.post("/workflows", once(object{"excluded_dates": list{"2100-12-25"}}))
	a.want(422)
	a.at("/triggers/0/excluded_dates", "never_fires")
	ana.post("/workflows", once(object{"excluded_dates": list{"2100-12-24"}})).want(201)
}
