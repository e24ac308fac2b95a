package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api"
)

func TestPreviewASchedule(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	// The clocks of Madrid jump from two to three on 29 March 2026.
	ask := object{"cron": "30 2 * * *", "timezone": "Europe/Madrid", "from": "2026-03-27T12:00:00Z", "count": 3}
	for language, words := range map[string]string{"es": "cada día", "en": "every day", "de-DE, es;q=0.5": "cada día", "": "every day"} {
		p := ana.post("/schedules/preview", ask, header("Accept-Language", language)).want(200)
		if !strings.Contains(strings.ToLower(p.text("description")), words) {
			t.Errorf("in %q: %q", language, p.text("description"))
		}
		var got []string
		for _, f := range p.items("fires") {
			got = append(got, f.text("at")+" "+f.text("local")+" "+f.text("note"))
		}
		want := "2026-03-28T01:30:00.000Z 2026-03-28T02:30:00+01:00 |2026-03-29T01:00:00.000Z 2026-03-29T03:00:00+02:00 gap_moved|2026-03-30T00:30:00.000Z 2026-03-30T02:30:00+02:00 "
		if strings.Join(got, "|") != want {
			t.Errorf("fires\n%s, want\n%s", strings.Join(got, "|"), want)
		}
		if a := p.items("anomalies"); len(a) != 5 || a[0].text("kind") != "gap" || a[1].text("kind") != "repeat" {
			t.Errorf("anomalies of two years: %v", a)
		}
	}
	skip := ana.post("/schedules/preview", object{"cron": "30 2 * * *", "timezone": "Europe/Madrid", "from": "2026-03-28T12:00:00Z", "count": 1, "gap": "skip"}).want(200)
	if f := skip.items("fires"); f[0].text("at") != "2026-03-30T00:30:00.000Z" {
		t.Errorf("with gap skip: %v", f)
	}
	both := ana.post("/schedules/preview", object{"cron": "30 2 * * *", "timezone": "Europe/Madrid", "from": "2026-10-24T12:00:00Z", "count": 2, "overlap_hour": "both"}).want(200)
	if f := both.items("fires"); f[0].text("note") != "first_pass" || f[1].text("note") != "second_pass" {
		t.Errorf("with overlap_hour both: %v", f)
	}
	if f := ana.post("/schedules/preview", object{"every": "90s"}).want(200).items("fires"); len(f) != 20 {
		t.Errorf("without a count there are %d fires, want 20", len(f))
	}
	if f := ana.post("/schedules/preview", object{"at": "2100-01-01T00:00:00Z"}).want(200).items("fires"); len(f) != 1 {
		t.Errorf("one instant fires %d times", len(f))
	}
	if p := ana.post("/schedules/preview", object{"at": "2001-01-01T00:00:00Z"}).want(200); len(p.items("fires")) != 0 {
		t.Errorf("an instant that has gone fires: %v", p)
	}
}

func TestPreviewsThatAreRefused(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for _, c := range []struct {
		ask           object
		pointer, code string
	}{
		{object{}, "/cron", "required"},
		{object{"cron": "* * *"}, "/cron", "cron_syntax"},
		{object{"cron": "61 * * * *"}, "/cron", "cron_syntax"},
		{object{"cron": "0 0 31 2 *"}, "/cron", "cron_never"},
		{object{"cron": "TZ=0 0 9 * * *"}, "/cron", "cron_syntax"}, // panics in the usual library
		{object{"cron": "CRON_TZ=Europe/Madrid 0 9 * * *"}, "/cron", "cron_syntax"},
		{object{"cron": "@every 1s"}, "/cron", "cron_syntax"},
		{object{"cron": strings.Repeat("*", 513)}, "/cron", "maxLength"},
		{object{"cron": "0 9 * * *", "timezone": "Mars/Olympus"}, "/timezone", "timezone_unknown"},
		{object{"cron": "0 9 * * *", "timezone": "Local"}, "/timezone", "timezone_unknown"},
		{object{"cron": "0 9 * * *", "every": "1h"}, "/every", "exclusive"},
		{object{"cron": "0 9 * * *", "gap": "jump"}, "/gap", "enum"},
		{object{"cron": "0 9 * * *", "count": 0}, "/count", "minimum"},
		{object{"cron": "0 9 * * *", "count": 101}, "/count", "maximum"},
		{object{"cron": "0 9 * * *", "from": "2300-01-01T00:00:00Z"}, "/from", "range"},
		{object{"cron": "0 9 * * *", "from": "1969-12-31T23:59:59Z"}, "/from", "range"},
		{object{"cron": "0 9 * * *", "starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}, "/ends_at", "out_of_range"},
		{object{"every": "1ms"}, "/every", "out_of_range"},
		{object{"every": "-5s"}, "/every", "pattern"},
		{object{"every": "99999999999h"}, "/every", "duration"},
		{object{"at": "2300-01-01T00:00:00Z"}, "/at", "out_of_range"},
		{object{"cron": "0 9 * * *", "zone": "UTC"}, "/zone", "unknown_field"},
	} {
		a := ana.post("/schedules/preview", c.ask)
		a.want(422)
		a.at(c.pointer, c.code)
	}
}

// How often schedules may fire is up to who runs the installation.
func TestTheShortestInterval(t *testing.T) {
	in := install(t, func(c *api.Config) { c.MinInterval = time.Minute })
	ana := in.user("ana")
	for _, c := range []struct {
		ask     object
		pointer string // empty: it may
	}{
		{object{"cron": "*/30 * * * * *"}, "/cron"},
		{object{"cron": "0,59 * * * * *"}, "/cron"},
		{object{"every": "59s"}, "/every"},
		{object{"cron": "* * * * *"}, ""},
		{object{"every": "1m"}, ""},
	} {
		saved := example(func(w object) {
			t := object{"id": "often", "type": "schedule"}
			for name, value := range c.ask {
				t[name] = value
			}
			w["triggers"] = list{t}
		})
		if c.pointer == "" {
			ana.post("/schedules/preview", c.ask).want(200)
			ana.post("/workflows", saved).want(201)
			continue
		}
		for at, a := range map[string]answer{"": ana.post("/schedules/preview", c.ask), "/triggers/0": ana.post("/workflows", saved)} {
			a.want(422)
			a.at(at+c.pointer, "too_often")
		}
	}
}
