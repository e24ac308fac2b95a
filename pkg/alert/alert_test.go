package alert_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// pointers are where an error says that something is wrong.
func pointers(t *testing.T, err error) (list []string) {
	t.Helper()
	f, ok := fault.Of(err)
	if err != nil && !ok {
		t.Fatalf("%v is no fault", err)
	}
	if ok {
		for _, field := range f.Fields {
			list = append(list, field.Pointer+" "+field.Code)
		}
	}
	return list
}

func TestRulesThatAreRefused(t *testing.T) {
	one := uuid.New()
	good := alert.Rule{Name: "r", On: []alert.Kind{alert.Failure}, Channels: []uuid.UUID{one}}
	for what, c := range map[string]struct {
		change func(*alert.Rule)
		want   []string
	}{
		"a good one":            {func(*alert.Rule) {}, nil},
		"no name":               {func(r *alert.Rule) { r.Name = " " }, []string{"/name name"}},
		"about nothing":         {func(r *alert.Rule) { r.On = nil }, []string{"/on required"}},
		"only about ends":       {func(r *alert.Rule) { r.On = []alert.Kind{alert.Recovery} }, []string{"/on required"}},
		"something unknown":     {func(r *alert.Rule) { r.On = []alert.Kind{alert.Failure, "digest"} }, []string{"/on/1 kind"}},
		"the same twice":        {func(r *alert.Rule) { r.On = []alert.Kind{alert.Failure, alert.Failure} }, []string{"/on/1 repeated"}},
		"no channel":            {func(r *alert.Rule) { r.Channels = nil }, []string{"/channels count"}},
		"a channel twice":       {func(r *alert.Rule) { r.Channels = []uuid.UUID{one, one} }, []string{"/channels/1 repeated"}},
		"too many in a row":     {func(r *alert.Rule) { r.AfterFailures = 101 }, []string{"/after_failures range"}},
		"late without a time":   {func(r *alert.Rule) { r.On = append(r.On, alert.LateStart) }, []string{"/start_within range"}},
		"a time for nothing":    {func(r *alert.Rule) { r.FinishWithin = workflow.Duration(time.Hour) }, []string{"/finish_within not_wanted"}},
		"repeated too often":    {func(r *alert.Rule) { r.Repeat = workflow.Duration(time.Second) }, []string{"/repeat range"}},
		"another language":      {func(r *alert.Rule) { r.Language = "fr" }, []string{"/language language"}},
		"no such zone":          {func(r *alert.Rule) { r.Timezone = "Europe/Madird" }, []string{"/timezone timezone_unknown"}},
		"quiet on no day":       {func(r *alert.Rule) { r.Quiet = &alert.Quiet{From: "22:00", To: "07:00"} }, []string{"/quiet/days required"}},
		"quiet on another day":  {func(r *alert.Rule) { r.Quiet = &alert.Quiet{Days: []string{"lun"}, From: "22:00", To: "07:00"} }, []string{"/quiet/days/0 day"}},
		"quiet from no time":    {func(r *alert.Rule) { r.Quiet = &alert.Quiet{Days: []string{"mon"}, From: "24:00", To: "07:00"} }, []string{"/quiet/from time"}},
		"quiet to a short time": {func(r *alert.Rule) { r.Quiet = &alert.Quiet{Days: []string{"mon"}, From: "22:00", To: "7:00"} }, []string{"/quiet/to time"}},
	} {
		rule := good
		c.change(&rule)
		if diff := cmp.Diff(c.want, pointers(t, rule.Complete())); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func TestQuietHours(t *testing.T) {
	nights := &alert.Quiet{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, From: "22:00", To: "07:00"}
	weekend := &alert.Quiet{Days: []string{"sat", "sun"}, From: "00:00", To: "00:00"}
	noon := &alert.Quiet{Days: []string{"wed"}, From: "12:00", To: "13:30"}
	friday := &alert.Quiet{Days: []string{"fri"}, From: "22:00", To: "06:00"}
	morning := &alert.Quiet{Days: []string{"sun"}, From: "02:30", To: "03:30"}
	for what, c := range map[string]struct {
		quiet     *alert.Quiet
		zone, now string
		want      string
	}{
		"no quiet hours":                    {nil, "UTC", "2026-11-25T23:00:00Z", ""},
		"before":                            {nights, "UTC", "2026-11-25T21:59:59Z", ""},
		"their beginning":                   {nights, "UTC", "2026-11-25T22:00:00Z", "2026-11-26T07:00:00Z"},
		"after midnight":                    {nights, "UTC", "2026-11-26T03:00:00Z", "2026-11-26T07:00:00Z"},
		"their end":                         {nights, "UTC", "2026-11-26T07:00:00Z", ""},
		"by the zone's clock":               {nights, "Europe/Madrid", "2026-11-25T21:30:00Z", "2026-11-26T06:00:00Z"},
		"on a day":                          {noon, "UTC", "2026-11-25T12:10:00Z", "2026-11-25T13:30:00Z"},
		"on another day":                    {noon, "UTC", "2026-11-26T12:10:00Z", ""},
		"the morning after the day":         {friday, "UTC", "2026-11-28T05:00:00Z", "2026-11-28T06:00:00Z"},
		"the morning of the day":            {friday, "UTC", "2026-11-27T05:00:00Z", ""},
		"whole days in a row":               {weekend, "UTC", "2026-11-28T10:00:00Z", "2026-11-30T00:00:00Z"},
		"the night with one hour less":      {nights, "Europe/Madrid", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"},
		"the night with one hour more":      {nights, "Europe/Madrid", "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"},
		"the hour that comes twice, first":  {morning, "Europe/Madrid", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"},
		"the hour that comes twice, second": {morning, "Europe/Madrid", "2026-10-25T01:10:00Z", "2026-10-25T02:30:00Z"},
		"a beginning that does not exist":   {morning, "Europe/Madrid", "2026-03-29T01:10:00Z", ""},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if until := c.quiet.Until(now, zone); !until.IsZero() {
			got = until.UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s: quiet until %q, want %q", what, got, c.want)
		}
	}
}

func TestChannelsThatAreRefused(t *testing.T) {
	for what, c := range map[string]struct {
		action, config string
		want           []string
	}{
		"slack":                   {"slack", `{"webhook_url":"{{ secrets.hook }}"}`, nil},
		"a mail":                  {"send_email", `{"host":"smtp.example.com","from":"a@example.com","to":["b@example.com"]}`, nil},
		"a webhook":               {"http_endpoint", `{"url":"https://example.com/alerts","headers":{"X-Kind":"{{ inputs.kind }}"}}`, nil},
		"a body of one's own":     {"http_endpoint", `{"url":"https://example.com","body":{"json":{"text":"{{ inputs.title }}"}}}`, nil},
		"telegram":                {"telegram", `{"bot_token":"{{ secrets.bot }}","chat_id":"42"}`, nil},
		"no sender":               {"wait", `{"for":"1s"}`, []string{"/action action"}},
		"no object":               {"slack", `[]`, []string{"/config config_shape"}},
		"a secret in the clear":   {"slack", `{"webhook_url":"https://hooks.slack.com/1"}`, []string{"/config/webhook_url literal_secret"}},
		"its own text":            {"slack", `{"webhook_url":"{{ secrets.hook }}","text":"hello"}`, []string{"/config/text not_wanted"}},
		"something unknown":       {"slack", `{"webhook_url":"{{ secrets.hook }}","channel":"a"}`, []string{"/config config_shape"}},
		"pages":                   {"http_endpoint", `{"url":"https://example.com","paginate":{"next":"nil","collect":"body"}}`, []string{"/config/paginate not_wanted"}},
		"the output of a step":    {"http_endpoint", `{"url":"https://example.com/{{ steps.a.id }}"}`, []string{"/config/url root"}},
		"all secrets":             {"http_endpoint", `{"url":"https://example.com","headers":{"A":"{{ secrets }}"}}`, []string{"/config/headers/A dynamic_name"}},
		"a mail without a sender": {"send_email", `{"host":"smtp.example.com","to":["b@example.com"]}`, []string{"/config/from required"}},
	} {
		_, err := alert.Channel{Name: "c", Action: c.action, Config: json.RawMessage(c.config)}.Check()
		if diff := cmp.Diff(c.want, pointers(t, err)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// What a form is made of does not ask for what messages bring, and its example is a channel.
func TestTypesOfChannels(t *testing.T) {
	for _, k := range alert.Types() {
		var schema struct {
			Required   []string
			Properties map[string]json.RawMessage
		}
		if err := json.Unmarshal(k.Config, &schema); err != nil {
			t.Fatalf("%s: %v", k.Type, err)
		}
		for _, brought := range []string{"text", "title", "subject", "fields", "paginate"} {
			if _, there := schema.Properties[brought]; there {
				t.Errorf("%s asks for %s", k.Type, brought)
			}
		}
		for _, name := range schema.Required {
			if _, there := schema.Properties[name]; !there {
				t.Errorf("%s needs %s, which it does not have", k.Type, name)
			}
		}
		var example map[string]any
		if err := json.Unmarshal(k.Example, &example); err != nil {
			t.Fatalf("%s: %v", k.Type, err)
		}
		for name := range example {
			if _, there := schema.Properties[name]; !there {
				t.Errorf("the example of %s has %s", k.Type, name)
			}
		}
	}
}

func TestWords(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	since := time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC)
	f := alert.Facts{
		Rule: "Nights", Workflow: "Import", Step: "fetch", Error: "503: Service Unavailable", Since: since, At: since.Add(90 * time.Minute), Count: 3,
		More: 2, Again: true, Streak: 1,
	}
	for language, want := range map[string]alert.Message{
		"en": {
			Title: "Import keeps failing",
			Text:  "Step fetch: 503: Service Unavailable\n3 times since 1 Sep 2026 10:30 CEST.\n2 of them since the message before.\nRule: Nights",
		},
		"es": {
			Title: "Import sigue fallando",
			Text:  "Paso fetch: 503: Service Unavailable\n3 veces desde el 1 sept 2026 10:30 CEST.\n2 de ellas desde el mensaje anterior.\nRegla: Nights",
		},
	} {
		if diff := cmp.Diff(want, alert.Write(alert.Failure, f, language, madrid)); diff != "" {
			t.Error(diff)
		}
		for _, kind := range append([]alert.Kind{alert.Test, alert.Digest}, alert.Kinds...) {
			of := f
			if kind == alert.Recovery {
				of.Of = alert.Missed
			}
			m := alert.Write(kind, of, language, madrid)
			if m.Title == "" || m.Text == "" || strings.Contains(m.Title+m.Text, "%!") {
				t.Errorf("%s in %s: %+v", kind, language, m)
			}
		}
	}
	if got := alert.Write(alert.Recovery, alert.Facts{Workflow: "Import", Of: alert.Failure, Since: since, At: since.Add(90 * time.Minute)}, "en", time.UTC); got.Text != "It began at 1 Sep 2026 08:30 UTC and took 1h30m." {
		t.Errorf("%q", got.Text)
	}
}
