package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/guildmember145/orquestador-plataforma"

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Name       string
	Doc        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Name,Doc,Imports,GoFiles", "./...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		all = append(all, p)
	}
}

// A rule forbids the packages it is for to import what it names. Patterns are package paths, of this module without
// its name; a pattern covers the packages below it.
type rule struct {
	reason string
	from   []string // whom it is for; none means every package
	except []string // of those, whom it is not for
	deny   []string // what they may not import
	allow  []string // of that, what they may
}

var (
	roles    = []string{"api", "scheduler", "worker"}
	pure     = []string{"pkg/account", "pkg/alert", "pkg/audit", "pkg/clock", "pkg/expr", "pkg/fault", "pkg/host", "pkg/quota", "pkg/rate", "pkg/run", "pkg/schedule", "pkg/secret", "pkg/webhook", "pkg/workflow"}
	adapters = []string{"pkg/auth", "pkg/egress", "pkg/mail", "pkg/postgres", "pkg/queue", "pkg/sso"}
)

var rules = slices.Concat(
	apart("roles are started apart and scaled apart: what two of them need belongs in pkg", roles),
	apart("an adapter wraps one technology; what spans two is pkg/dispatch's", adapters),
	single,
)

// apart forbids the members of a group to import each other.
func apart(reason string, group []string) (rules []rule) {
	for _, member := range group {
		rules = append(rules, rule{reason: reason, from: []string{member}, deny: group, allow: []string{member}})
	}
	return rules
}

var single = []rule{
	{
		reason: "pkg is below the roles; a package that knows a role cannot serve another",
		from:   []string{"pkg"}, except: []string{"pkg/testkit", "pkg/bench"}, deny: append([]string{"frontend"}, roles...),
	},
	{
		reason: "what measures the roles together knows all of them; nothing that serves may come to need it",
		except: []string{"", "pkg/testkit"}, deny: []string{"pkg/bench"}, // "" is main
	},
	{
		reason: "the domain is decided without a database, a network or a framework, so it can be read and tested alone",
		from:   pure, deny: []string{"*"},
		allow: append([]string{"std", "github.com/google/uuid", "github.com/netresearch/go-cron", "github.com/expr-lang/expr", "github.com/santhosh-tekuri/jsonschema", "golang.org/x/text"}, pure...),
	},
	{
		reason: "the cron parser is a detail of schedules",
		except: []string{"pkg/schedule"}, deny: []string{"github.com/netresearch/go-cron"},
	},
	{
		reason: "expressions from users run only behind the limits of pkg/expr",
		except: []string{"pkg/expr"}, deny: []string{"github.com/expr-lang/expr"},
	},
	{
		reason: "an adapter does one thing when asked; what a run needs done is decided above it",
		from:   adapters, deny: []string{"pkg/dispatch"},
	},
	{
		reason: "PostgreSQL decides: one package holds its SQL, its errors and its transactions",
		except: []string{"pkg/postgres", "pkg/testkit"}, deny: []string{"github.com/jackc", "github.com/pressly/goose"},
	},
	{
		reason: "Redis only hurries: one package knows its keys, and no other can come to depend on it",
		except: []string{"pkg/queue", "pkg/testkit"},
		deny:   []string{"github.com/hibiken/asynq", "github.com/redis", "github.com/go-redis"},
	},
	{
		reason: "what a token means is decided in one place",
		except: []string{"pkg/auth"}, deny: []string{"github.com/golang-jwt"},
	},
	{
		reason: "what another service's word is worth is decided in one place, where all of it is checked",
		except: []string{"pkg/sso", "pkg/testkit"},
		deny:   []string{"github.com/coreos/go-oidc", "golang.org/x/oauth2", "github.com/zitadel/oidc", "github.com/go-jose"},
	},
	{
		reason: "the issuer that the tests run is theirs alone",
		except: []string{"pkg/testkit"}, deny: []string{"github.com/zitadel/oidc"},
	},
	{
		reason: "addresses that users typed are called through one guarded client",
		except: []string{"pkg/egress"}, deny: []string{"code.dny.dev/ssrf"},
	},
	{
		reason: "mails leave through the guarded dialer, which one package hands to the library; one action writes them",
		except: []string{"pkg/mail", "worker/internal/action"}, deny: []string{"github.com/wneessen"},
	},
	{
		reason: "a Redis inside the process is for trying out and for tests; nothing else may come to need it",
		except: []string{"pkg/local"}, deny: []string{"github.com/alicebob/miniredis"},
	},
	{
		reason: "the web framework ends at the API's border",
		except: []string{"api"}, deny: []string{"github.com/labstack"},
	},
	{
		reason: "only tests import the test kit; a product that needs it has a piece in the wrong place",
		except: []string{"pkg/testkit"}, deny: []string{"pkg/testkit"},
	},
}

func TestWhoMayImportWhom(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			imported = strings.TrimPrefix(imported, module+"/")
			for _, r := range rules {
				if r.forbids(p.ImportPath, imported) {
					t.Errorf("%s imports %s, but %s", p.ImportPath, imported, r.reason)
				}
			}
		}
	}
}

func (r rule) forbids(from, imported string) bool {
	concerned := (len(r.from) == 0 || covered(from, r.from)) && !covered(from, r.except)
	return concerned && covered(imported, r.deny) && !covered(imported, r.allow)
}

// covered tells whether one of the patterns names p or a folder above it; "*" names all, "std" the standard library.
func covered(p string, patterns []string) bool {
	for _, pattern := range patterns {
		switch pattern {
		case "*":
			return true
		case "std":
			first, _, _ := strings.Cut(p, "/")
			if !strings.Contains(first, ".") && !ours(p) {
				return true
			}
		default:
			if p == pattern || strings.HasPrefix(p, pattern+"/") {
				return true
			}
		}
	}
	return false
}

func ours(p string) bool {
	return covered(p, append([]string{"pkg", "migrations", "frontend"}, roles...))
}

func TestTheRulesCatchWhatTheyAreFor(t *testing.T) {
	for _, c := range []struct {
		from, imported string
		forbidden      bool
	}{
		{"worker", "api", true},
		{"api/internal/httpx", "worker", true},
		{"pkg/workflow", "github.com/jackc/pgx/v5", true},
		{"pkg/workflow", "pkg/postgres", true},
		{"pkg/workflow", "net/url", false},
		{"pkg/workflow", "pkg/schedule", false},
		{"pkg/postgres", "pkg/queue", true},
		{"pkg/postgres", "pkg/run", false},
		{"pkg/dispatch", "pkg/postgres", false},
		{"worker", "github.com/hibiken/asynq", true},
		{"api", "github.com/hibiken/asynqmon", false},
		{"api", "golang.org/x/oauth2", true},
		{"pkg/sso", "golang.org/x/oauth2", false},
		{"pkg/sso", "github.com/zitadel/oidc/v3/pkg/op", true},
		{"scheduler", "pkg/testkit/pgtest", true},
		{"pkg/bench", "worker", false},
		{"worker", "pkg/bench", true},
		{"", "pkg/bench", false},
		{"pkg/testkit/pgtest", "pkg/postgres", false},
	} {
		forbidden := false
		for _, r := range rules {
			forbidden = forbidden || r.forbids(c.from, c.imported)
		}
		if forbidden != c.forbidden {
			t.Errorf("%s importing %s: forbidden %v, want %v", c.from, c.imported, forbidden, c.forbidden)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		if want := "Package " + p.Name + " "; p.Name != "main" && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: the package comment is %q; it should begin with %q", p.ImportPath, p.Doc, want)
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestNoPackageIsADrawerForEverything(t *testing.T) {
	for _, p := range packages(t) {
		switch name := path.Base(p.ImportPath); name {
		case "util", "utils", "common", "helpers", "helper", "misc", "shared", "lib":
			t.Errorf("%s: name the package after what it does", p.ImportPath)
		}
	}
}
