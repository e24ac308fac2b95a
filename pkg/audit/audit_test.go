package audit_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

const key = "a key that is long enough for tests"

func ring(t *testing.T, key, previous string) *secret.Keyring {
	t.Helper()
	k, err := secret.NewKeyring(key, previous)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// chain makes entries as a process with the key writes them; the command line, which has none, wrote the third.
func chain(t *testing.T, n int) ([]audit.Entry, audit.Head) {
	t.Helper()
	keys := ring(t, key, "")
	project := uuid.MustParse("0190c0de-0000-7000-8000-000000000001")
	ctx := audit.With(context.Background(), audit.Origin{
		Actor:   audit.Actor{Kind: audit.User, ID: uuid.New(), Name: "ana", Session: uuid.New(), Token: uuid.New()},
		Address: "192.0.2.7", RequestID: uuid.NewString(),
	})
	var head audit.Head
	now := time.Date(2026, 3, 4, 5, 6, 7, 891_234_000, time.UTC)
	entries := make([]audit.Entry, n)
	for i := range entries {
		c := audit.Change{
			Action: audit.VariableUpdate, Project: project, Object: audit.Object{ID: "base", Name: fmt.Sprintf("variable %d", i)},
			Before: audit.Data{"value": i, "description": "the same"}, After: audit.Data{"value": i + 1, "description": "the same"},
		}
		if i == 2 {
			c.Actor = &audit.Actor{Kind: audit.CommandLine, Name: "root@host"}
		}
		e, err := audit.NewEntry(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		head = e.Follow(head, now.Add(time.Duration(i)*time.Second))
		if i != 2 {
			e.Seal, e.SealedBy = keys.Sign(audit.SealPurpose, e.Hash[:]), keys.KeyID()
		}
		entries[i] = e
	}
	return entries, head
}

func verify(entries []audit.Entry, keys audit.Keys, head *audit.Head) audit.Report {
	v := audit.NewVerifier(keys)
	for _, e := range entries {
		if !v.Add(e) {
			break
		}
	}
	return v.End(head)
}

func TestAWholeChainIsWhole(t *testing.T) {
	entries, head := chain(t, 6)
	r := verify(entries, ring(t, key, ""), &head)
	if !r.OK || r.Entries != 6 || r.First.Number != 1 || r.Last.Number != 6 || r.Last.Hash != head.Hash || r.Sealed != 6 || r.Broken != nil {
		t.Errorf("%+v, %+v", r, r.Broken)
	}
	if r := verify(entries, nil, &head); !r.OK || r.Keyed || r.Sealed != 0 {
		t.Errorf("without a key: %+v, %+v", r, r.Broken)
	}
	if r := verify(nil, ring(t, key, ""), &audit.Head{}); !r.OK || r.Entries != 0 {
		t.Errorf("nothing at all: %+v", r)
	}
}

// Every field of an entry is under its hash: whichever is altered, the entry is found. Somebody who writes the hash anew too,
// and those of all entries after it, is found by the seals.
func TestEveryAlteredFieldIsFound(t *testing.T) {
	for name, alter := range map[string]func(*audit.Entry){
		"number":      func(e *audit.Entry) { e.Number += 1000 },
		"at":          func(e *audit.Entry) { e.At = e.At.Add(time.Microsecond) },
		"actor kind":  func(e *audit.Entry) { e.Actor.Kind = audit.System },
		"actor id":    func(e *audit.Entry) { e.Actor.ID = uuid.New() },
		"actor name":  func(e *audit.Entry) { e.Actor.Name = "eva" },
		"session":     func(e *audit.Entry) { e.Actor.Session = uuid.Nil },
		"token":       func(e *audit.Entry) { e.Actor.Token = uuid.Nil },
		"address":     func(e *audit.Entry) { e.Address = "192.0.2.8" },
		"request id":  func(e *audit.Entry) { e.RequestID = "" },
		"action":      func(e *audit.Entry) { e.Action = audit.VariableDelete },
		"project":     func(e *audit.Entry) { e.Project = uuid.New() },
		"object id":   func(e *audit.Entry) { e.Object.ID = "other" },
		"object name": func(e *audit.Entry) { e.Object.Name += " " },
		// What moves from one field into its neighbour leaves the same letters in the same order.
		"a border": func(e *audit.Entry) { e.Object.ID, e.Object.Name = e.Object.ID+e.Object.Name[:1], e.Object.Name[1:] },
		"before":   func(e *audit.Entry) { e.Before = json.RawMessage(`{"value":99}`) },
		"spaces":   func(e *audit.Entry) { e.Before = json.RawMessage(`{"value": 3}`) },
		"after":    func(e *audit.Entry) { e.After = nil },
		"previous": func(e *audit.Entry) { e.Previous[7] ^= 1 },
		"hash":     func(e *audit.Entry) { e.Hash[31] ^= 1 },
		"seal":     func(e *audit.Entry) { e.Seal = slices.Clone(e.Seal); e.Seal[0] ^= 1 },
	} {
		t.Run(name, func(t *testing.T) {
			entries, head := chain(t, 6)
			alter(&entries[3])
			r := verify(entries, ring(t, key, ""), &head)
			if r.OK || r.Broken.Number < 3 || r.Broken.Number > 5 && name != "number" {
				t.Errorf("not found: %+v", r.Broken)
			}
			if name == "seal" {
				return
			}
			if r := verify(entries, nil, &head); r.OK {
				t.Error("not found without a key")
			}
			if name == "number" || name == "hash" || name == "previous" {
				return
			}
			// Somebody with the database alone writes everything from there on anew.
			rewrite(entries[3:])
			forged := audit.Head{Number: entries[5].Number, Hash: entries[5].Hash}
			if r := verify(entries, nil, &forged); !r.OK {
				t.Errorf("the chain was not written anew: %+v", r.Broken)
			}
			if r := verify(entries, ring(t, key, ""), &forged); r.OK || r.Broken.Number != 4 || r.Broken.Problem != audit.Altered {
				t.Errorf("written anew, and not found: %+v", r.Broken)
			}
			for i := range entries[3:] {
				entries[3+i].Seal, entries[3+i].SealedBy = nil, ""
			}
			if r := verify(entries, ring(t, key, ""), &forged); r.OK || r.Broken.Problem != audit.Unsealed || r.Broken.Number > 5 || r.Sealed != 2 {
				t.Errorf("written anew without seals, and not found: %+v, %+v", r, r.Broken)
			}
		})
	}
}

// rewrite calculates the hashes anew, as anybody can who reads docs/audit.md.
func rewrite(entries []audit.Entry) {
	for i := range entries {
		if i > 0 {
			entries[i].Previous = entries[i-1].Hash
		}
		entries[i].Hash = entries[i].Sum()
	}
}

func TestEntriesThatAreNotInTheirPlaceAreFound(t *testing.T) {
	for _, c := range []struct {
		name    string
		tamper  func(e []audit.Entry, head *audit.Head) []audit.Entry
		problem audit.Problem
		number  int64
	}{
		{"one is missing", func(e []audit.Entry, _ *audit.Head) []audit.Entry { return slices.Delete(e, 2, 3) }, audit.Missing, 3},
		{"some are missing", func(e []audit.Entry, _ *audit.Head) []audit.Entry { return slices.Delete(e, 2, 5) }, audit.Missing, 3},
		{"the first are missing", func(e []audit.Entry, _ *audit.Head) []audit.Entry { return e[2:] }, audit.Missing, 1},
		{"the last are missing", func(e []audit.Entry, _ *audit.Head) []audit.Entry { return e[:4] }, audit.CutOff, 5},
		{"all are missing", func([]audit.Entry, *audit.Head) []audit.Entry { return nil }, audit.CutOff, 1},
		{"one is there twice", func(e []audit.Entry, _ *audit.Head) []audit.Entry { return slices.Insert(e, 3, e[2]) }, audit.Inserted, 3},
		{"two changed places", func(e []audit.Entry, _ *audit.Head) []audit.Entry {
			e[2], e[3] = e[3], e[2]
			return e
		}, audit.Missing, 3},
		{"an old one stands at the end", func(e []audit.Entry, _ *audit.Head) []audit.Entry { return append(e, e[1]) }, audit.Reordered, 2},
		{"one more stands behind the end", func(e []audit.Entry, head *audit.Head) []audit.Entry {
			more := audit.Entry{Action: audit.AccountRole, Actor: audit.Actor{Kind: audit.CommandLine}}
			more.Follow(*head, head.At)
			return append(e, more)
		}, audit.Inserted, 7},
		{"one was taken out, and the others moved up", func(e []audit.Entry, _ *audit.Head) []audit.Entry {
			e = slices.Delete(e, 2, 3)
			for i := range e {
				e[i].Number = int64(i + 1)
			}
			return e
		}, audit.Altered, 2},
		{"the end is another", func(e []audit.Entry, head *audit.Head) []audit.Entry {
			head.Hash[0] ^= 1
			return e
		}, audit.Altered, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries, head := chain(t, 6)
			entries = c.tamper(entries, &head)
			for _, keys := range []audit.Keys{nil, ring(t, key, "")} {
				r := verify(entries, keys, &head)
				if r.OK || r.Broken.Problem != c.problem || r.Broken.Number != c.number {
					t.Errorf("found %+v, want %s at %d", r.Broken, c.problem, c.number)
				}
			}
		})
	}
}

// Who cuts the end off and writes the end's own note anew is found by who noted an entry elsewhere.
func TestAnEntryThatWasNotedElsewhere(t *testing.T) {
	entries, head := chain(t, 6)
	check := func(entries []audit.Entry, known audit.Head, end audit.Head) audit.Report {
		v := audit.NewVerifier(ring(t, key, "")).Knowing(&known)
		for _, e := range entries {
			v.Add(e)
		}
		return v.End(&end)
	}
	if r := check(entries, head, head); !r.OK {
		t.Errorf("%+v", r.Broken)
	}
	short := audit.Head{Number: 4, At: entries[3].At, Hash: entries[3].Hash}
	if r := check(entries[:4], head, short); r.OK || r.Broken.Problem != audit.CutOff || r.Broken.Number != 5 {
		t.Errorf("cut off: %+v", r.Broken)
	}
	other := head
	other.Hash[3] ^= 1
	if r := check(entries, other, head); r.OK || r.Broken.Number != 6 {
		t.Errorf("another hash: %+v", r.Broken)
	}
}

// Old entries go because of their age, and the rest still hangs on what the removal says of the last of them.
func TestOldEntriesAreRemoved(t *testing.T) {
	entries, head := chain(t, 6)
	cut, err := audit.NewEntry(context.Background(), audit.Change{Action: audit.AuditCut, After: audit.Cut(3, entries[2].Hash, 3)})
	if err != nil {
		t.Fatal(err)
	}
	head = cut.Follow(head, head.At)
	entries = append(entries, cut)
	if r := verify(entries[3:], ring(t, key, ""), &head); !r.OK || r.Cut != 3 || r.First.Number != 4 {
		t.Errorf("%+v, %+v", r, r.Broken)
	}
	if r := verify(entries[4:], nil, &head); r.OK || r.Broken.Problem != audit.Missing || r.Broken.Number != 4 {
		t.Errorf("more is missing than was removed: %+v", r.Broken)
	}
	if r := verify(entries[2:], nil, &head); r.OK || r.Broken.Problem != audit.Inserted || r.Broken.Number != 3 {
		t.Errorf("one that was removed is there: %+v", r.Broken)
	}
	entries[3].Previous = entries[0].Hash
	rewrite(entries[3:])
	head.Hash = entries[6].Hash
	if r := verify(entries[3:], nil, &head); r.OK || r.Broken.Number != 4 {
		t.Errorf("it hangs on something else: %+v", r.Broken)
	}
}

func TestKeysOfTheChainRotate(t *testing.T) {
	entries, head := chain(t, 4)
	const next, later = "another key that is long enough for it", "a third key that is long enough for tests"
	if r := verify(entries, ring(t, next, key), &head); !r.OK || r.Sealed != 4 {
		t.Errorf("with the key before: %+v, %+v", r, r.Broken)
	}
	if r := verify(entries, ring(t, later, next), &head); r.OK || r.Broken.Problem != audit.Unsealed || r.Unknown != 3 {
		t.Errorf("nothing vouches for it: %+v, %+v", r, r.Broken)
	}
	e := audit.Entry{Action: audit.SecretsRotate, Actor: audit.Actor{Kind: audit.CommandLine}}
	head = e.Follow(head, head.At)
	keys := ring(t, later, next)
	e.Seal, e.SealedBy = keys.Sign(audit.SealPurpose, e.Hash[:]), keys.KeyID()
	if r := verify(append(entries, e), keys, &head); !r.OK || r.Sealed != 5 {
		t.Errorf("a new seal vouches for all before: %+v, %+v", r, r.Broken)
	}
}

func TestOnlyWhatDiffersIsKept(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for _, c := range []struct {
		name          string
		before, after any
		from, to      string
	}{
		{"nothing", nil, nil, "", ""},
		{"made", nil, audit.Data{"a": 1}, "", `{"a":1}`},
		{"removed", audit.Data{"a": 1}, nil, `{"a":1}`, ""},
		{"changed", audit.Data{"a": 1, "b": "<same>"}, audit.Data{"a": 2, "b": "<same>", "c": nil}, `{"a":1}`, `{"a":2,"c":null}`},
		{"the same", audit.Data{"a": 1}, audit.Data{"a": 1}, `{}`, `{}`},
		{"as it is written", audit.Data{"a": json.RawMessage(`{"y": 1, "x":2}`)}, audit.Data{"a": json.RawMessage(`{"x":2,"y":1}`)}, `{}`, `{}`},
		{"long numbers", audit.Data{"a": json.RawMessage(`9007199254740993`)}, audit.Data{"a": json.RawMessage(`9007199254740992`)}, `{"a":9007199254740993}`, `{"a":9007199254740992}`},
		{"markup", nil, audit.Data{"a": "<b>&"}, "", `{"a":"<b>&"}`},
		{"long", audit.Data{"a": "short"}, audit.Data{"a": long}, `{"a":"short"}`, `{"a":{"omitted_bytes":3002}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to, err := audit.Differences(c.before, c.after)
			if err != nil || string(from) != c.from || string(to) != c.to {
				t.Errorf("%s → %s (%v), want %s → %s", from, to, err, c.from, c.to)
			}
		})
	}
	many := audit.Data{}
	for i := range 100 {
		many[fmt.Sprint(i)] = strings.Repeat("y", 900)
	}
	if _, to, err := audit.Differences(nil, many); err != nil || len(to) > 100 || !bytes.Contains(to, []byte("omitted_bytes")) {
		t.Errorf("%.100s, %v", to, err)
	}
}

// Names are one line, whatever somebody calls a thing.
func TestNamesForgeNoLines(t *testing.T) {
	e, err := audit.NewEntry(context.Background(), audit.Change{
		Action: audit.CalendarCreate, Object: audit.Named("a\r\n2,forged\x00\x1b[2J\u2028" + strings.Repeat("z", 300)),
		After: audit.Data{"name": "=1+1\r\nforged\x00"}, Actor: &audit.Actor{Kind: audit.Link, Name: "=HYPERLINK(\"x\")\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Follow(audit.Head{}, time.Unix(0, 0))
	if n := len([]rune(e.Object.Name)); n != 200 || strings.ContainsAny(e.Object.Name, "\r\n\x00\x1b\u2028") {
		t.Errorf("%d characters: %q", n, e.Object.Name)
	}
	for _, format := range []audit.Format{audit.JSONLines, audit.CSV} {
		var b bytes.Buffer
		w, err := audit.NewWriter(&b, format)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
		if want := map[audit.Format]int{audit.JSONLines: 1, audit.CSV: 2}[format]; len(lines) != want || strings.ContainsAny(b.String(), "\r\x00\x1b") {
			t.Errorf("%s has %d lines: %q", format, len(lines), b.String())
		}
		if format == audit.CSV {
			rows, err := csv.NewReader(&b).ReadAll()
			if err != nil || len(rows[1]) != len(rows[0]) || !strings.HasPrefix(rows[1][4], "'=HYPERLINK") {
				t.Errorf("a formula: %v, %v", rows, err)
			}
		}
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	for _, text := range []string{"=1", "+1", "-1", "@x", " =1", "\t=1"} {
		e := audit.Entry{Object: audit.Object{Name: text}}
		var b bytes.Buffer
		w, _ := audit.NewWriter(&b, audit.CSV)
		_, _ = w.Write(e), w.Flush()
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || !strings.HasPrefix(rows[1][12], "'") {
			t.Errorf("%q became %q (%v)", text, rows, err)
		}
	}
}

// What was written as JSON lines can be verified again, without the database.
func TestAnExportVerifies(t *testing.T) {
	entries, head := chain(t, 6)
	var b bytes.Buffer
	w, err := audit.NewWriter(&b, audit.JSONLines)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	v := audit.NewVerifier(ring(t, key, ""))
	for line := range bytes.Lines(b.Bytes()) {
		e, err := audit.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		v.Add(e)
	}
	if r := v.End(&head); !r.OK || r.Entries != 6 || r.Sealed != 6 {
		t.Errorf("%+v, %+v", r, r.Broken)
	}
	for _, bad := range []string{"", "{", `{"number":"x"}`, `{"hash":"00"}`, `{"nonsense":1}`, `{"at":"yesterday"}`} {
		if _, err := audit.Parse([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// The hash is a promise to whoever verifies an export with a program of their own: docs/audit.md says how it is made.
func TestTheHashStaysWhatItIs(t *testing.T) {
	e := audit.Entry{
		Actor:   audit.Actor{Kind: audit.User, ID: uuid.MustParse("0190c0de-0000-7000-8000-000000000002"), Name: "ana"},
		Address: "192.0.2.7", RequestID: "r", Action: audit.SecretCreate, Object: audit.Named("token"), After: json.RawMessage(`{"value":"set"}`),
	}
	e.Follow(audit.Head{}, time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC))
	if got, want := e.Hash.String(), "0bc39a8761d4fa4ba599265bbef8889de3cb8b80c3cb12211c6209aad41d4999"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestActionsAreStableCodes(t *testing.T) {
	seen := map[audit.Action]bool{}
	for _, a := range audit.Actions() {
		if kind, verb, ok := strings.Cut(string(a), "."); !ok || kind == "" || verb == "" || seen[a] || a.Kind() != kind {
			t.Errorf("%q", a)
		}
		seen[a] = true
	}
}
