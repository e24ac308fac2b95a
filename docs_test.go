package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
)

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")

// A promise is worth what the test is that shows it: one that was renamed or removed must not stay in the document.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	tests := goTests(t)
	for _, path := range []string{"docs/security.md", "docs/engine.md", "docs/schedules.md", "docs/triggers.md", "docs/alerts.md", "docs/drafts.md", "docs/sso.md", "docs/limits.md"} {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		named := testName.FindAllStringSubmatch(string(page), -1)
		if len(named) == 0 {
			t.Errorf("%s names no test", path)
		}
		for _, n := range named {
			if !strings.Contains(tests, "\nfunc "+n[1]+"(") {
				t.Errorf("%s names %s, which is no test", path, n[1])
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

func TestLinksBetweenDocumentsLead(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range link.FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), l[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, l[1])
			}
		}
	}
}

// goTests is the source of all Go tests.
func goTests(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	here, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range append(here, "api", "pkg", "scheduler", "worker") {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			raw, err := os.ReadFile(path)
			all.Write(raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// Every action of the audit log is explained, and has a name in both languages.
func TestActionsOfTheAuditLogAreExplained(t *testing.T) {
	page, err := os.ReadFile("docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Actions")
	for _, language := range []string{"en", "es"} {
		raw, err := os.ReadFile("frontend/src/shared/i18n/locales/audit." + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts struct {
			Audit struct {
				Kind   map[string]string            `json:"kind"`
				Action map[string]map[string]string `json:"action"`
			} `json:"audit"`
		}
		if err := json.Unmarshal(raw, &texts); err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, verbs := range texts.Audit.Action {
			named += len(verbs)
		}
		for _, action := range audit.Actions() {
			kind, verb, _ := strings.Cut(string(action), ".")
			if texts.Audit.Kind[kind] == "" || texts.Audit.Action[kind][verb] == "" {
				t.Errorf("%s has no name in audit.%s.json", action, language)
			}
			if !strings.Contains(table, "`"+string(action)+"`") {
				t.Errorf("docs/audit.md does not explain %s", action)
			}
		}
		if named != len(audit.Actions()) {
			t.Errorf("audit.%s.json names %d actions, and there are %d", language, named, len(audit.Actions()))
		}
	}
	// The filter of the interface offers each of them.
	look, err := os.ReadFile("frontend/src/features/audit/look.ts")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(look), "actionsByKind = {")
	list, _, _ = strings.Cut(list, "} as const")
	offered := map[string]string{}
	for _, line := range strings.Split(list, "\n") {
		if kind, verbs, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			offered[kind] = verbs
		}
	}
	for _, action := range audit.Actions() {
		kind, verb, _ := strings.Cut(string(action), ".")
		if !strings.Contains(offered[kind], "'"+verb+"'") {
			t.Errorf("look.ts does not offer %s", action)
		}
	}
}
