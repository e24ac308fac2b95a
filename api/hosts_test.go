package api_test

import (
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/host"
)

func TestLimitsOfAHost(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	h := ana.put("/hosts/API.example.com", object{"max_concurrent": 5, "per_second": 0.5, "burst": 3}).want(200)
	if h.text("host") != "api.example.com:443" || h.number("max_concurrent") != "5" || h.number("per_second") != "0.5" || h.number("burst") != "3" {
		t.Errorf("saved %v", h)
	}
	h = ana.put("/hosts/api.example.com:443", object{"max_concurrent": 2}).want(200)
	if h.number("max_concurrent") != "2" || h["per_second"] != nil || h["burst"] != nil || h["closed_until"] != nil {
		t.Errorf("saved again %v", h)
	}
	if list := ana.get("/hosts").want(200).items("items"); len(list) != 1 {
		t.Errorf("listed %v", list)
	}
	ana.delete("/hosts/api.example.com:443").want(204)
	ana.delete("/hosts/api.example.com:443").want(204)
	if list := ana.get("/hosts").want(200).items("items"); len(list) != 0 {
		t.Errorf("listed %v", list)
	}
	for _, body := range []any{
		nil,
		object{},
		object{"burst": 2},
		object{"max_concurrent": 0},
		object{"max_concurrent": 100001},
		object{"max_concurrent": 1.5},
		object{"per_second": 0},
		object{"per_second": -1},
		object{"per_second": 1, "burst": 0},
		object{"per_minute": 3},
	} {
		if a := ana.put("/hosts/api.example.com", body); a.status != 422 && a.status != 400 {
			t.Errorf("%v: %d", body, a.status)
		}
	}
	for _, name := range []string{"a%20b", "x:0", "x:99999", "x:y", "%ff", "-x", "a%2Fb", "%E2%82%AC"} {
		if a := ana.put("/hosts/"+name, object{"max_concurrent": 1}); a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// A host that is closed is listed with the reason, though it has no limits; an administrator may open it.
func TestAClosedHostShows(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	const name = "api.example.com:443"
	for range 3 {
		if _, err := in.queue.FailHost(t.Context(), name, "HTTP 500", host.Breaker{Failures: 3, Cooldown: time.Minute, Limit: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	list := ana.get("/hosts").want(200).items("items")
	if len(list) != 1 || list[0].text("host") != name || list[0].text("closed_until") == "" || list[0].number("failures") != "3" ||
		list[0].text("reason") != "circuit open after 3 failures in a row: HTTP 500" {
		t.Fatalf("listed %v", list)
	}
	ana.delete("/hosts/" + name).want(204)
	if list := ana.get("/hosts").want(200).items("items"); len(list) != 0 {
		t.Errorf("listed %v", list)
	}
}

func TestHostsAreForAdministrators(t *testing.T) {
	in := install(t)
	in.user("ana") // the first is administrator
	bob := in.user("bob")
	bob.get("/hosts").refused(403, "administrators_only")
	bob.put("/hosts/api.example.com", object{"max_concurrent": 1}).refused(403, "administrators_only")
	bob.delete("/hosts/api.example.com").refused(403, "administrators_only")
}
