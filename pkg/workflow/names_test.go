package workflow

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

func httpStep(config string) Definition {
	return Definition{Name: "x", Steps: []Step{{ID: "a", Action: ActionHTTP, Config: json.RawMessage(config)}}}
}

func TestUsesPointToWhereANameStands(t *testing.T) {
	d := httpStep(`{"method": "POST", "url": "{{ vars.base }}/x", "headers": {"A/b": "Bearer {{ secrets.token }}"},
		"body": {"json": {"list": ["{{ secrets.token }}", "{{ secrets[\"pin\"] }}"]}}}`)
	d.Steps[0].If = `secrets.flag == "on" && inputs.x`
	want := []Use{
		{RootVars, "base", "/steps/0/config/url"},
		{RootSecrets, "token", "/steps/0/config/body/json/list/0"},
		{RootSecrets, "pin", "/steps/0/config/body/json/list/1"},
		{RootSecrets, "flag", "/steps/0/if"},
	}
	if diff := cmp.Diff(want, d.Uses()); diff != "" {
		t.Error(diff)
	}
	if got := d.Steps[0].Names(RootSecrets); strings.Join(got, " ") != "token pin flag" {
		t.Errorf("names %v", got)
	}
}

// Which values a step gets is known before it runs: a name cannot be computed.
func TestNamesThatAreComputedAreRefused(t *testing.T) {
	for _, source := range []string{`secrets[inputs.which]`, `secrets`, `keys(secrets)`, `let s = secrets; s.token`, `\"a\" in secrets`, `vars[run.id]`} {
		err := Validate(httpStep(`{"url": "http://a/", "query": {"q": "{{ ` + source + ` }}"}}`))
		f, ok := fault.Of(err)
		if !ok || f.Fields[0].Pointer != "/steps/0/config/query/q" || f.Fields[0].Code != "dynamic_name" {
			t.Errorf("%s: %v", source, err)
		}
	}
	d := httpStep(`{"url": "http://a/"}`)
	d.Steps[0].If = "secrets[inputs.which] == 1"
	if f, ok := fault.Of(Validate(d)); !ok || f.Fields[0].Pointer != "/steps/0/if" {
		t.Errorf("condition: %v", f)
	}
}

func TestNamesOfValues(t *testing.T) {
	for name, ok := range map[string]bool{
		"token": true, "_A9": true, strings.Repeat("x", 64): true,
		"": false, "9a": false, "a-b": false, "ñ": false, "a b": false, "a\n": false, strings.Repeat("x", 65): false,
	} {
		if err := CheckValueName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"stripe_ky": "stripe_key", "STRIPE_KEY": "stripe_key", "tokn": "token", "pin": "", "": ""} {
		if got := Nearest(name, []string{"stripe_key", "token", "other"}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
