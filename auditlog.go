package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// byHand lets the changes of a command be those of whoever runs it, as far as the machine knows them.
func byHand(ctx context.Context) context.Context {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return audit.With(ctx, audit.Origin{Actor: audit.Actor{Kind: audit.CommandLine, Name: name}})
}

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Check that nobody altered, removed or added entries; exits with 1 and the first that is wrong."`
	Export auditExportCmd `cmd:"" help:"Write the audit log to standard output, oldest first."`
}

// perhapsKeys are the installation's keys, for what can do without.
type perhapsKeys struct {
	SecretKey   telemetry.Secret `env:"ORQ_SECRET_KEY" help:"The installation's key: proves that the installation wrote the entries. Without it only their chain is checked."`
	PreviousKey telemetry.Secret `name:"secret-key-previous" env:"ORQ_SECRET_KEY_PREVIOUS" help:"The key before it."`
}

// ring is nil where there is no key.
func (k perhapsKeys) ring() (*secret.Keyring, error) {
	if k.SecretKey == "" {
		return nil, nil
	}
	return secret.NewKeyring(k.SecretKey.Reveal(), k.PreviousKey.Reveal())
}

type auditVerifyCmd struct {
	DatabaseURL telemetry.Secret `env:"ORQ_DATABASE_URL" help:"PostgreSQL, as in postgres://user:password@host:5432/name."`
	perhapsKeys `embed:""`
	File        string `help:"Check a whole export (JSON lines) instead of the database." type:"existingfile"`
	Head        string `help:"The last entry that an earlier verification named, as NUMBER:HASH: it has to be there still."`
}

// Validate implements kong's hook.
func (c auditVerifyCmd) Validate() error {
	if c.File == "" && c.DatabaseURL == "" {
		return errors.New("ORQ_DATABASE_URL is not set, and no --file is named")
	}
	_, err := c.ring()
	return err
}

// Run verifies and says what it found.
func (c *auditVerifyCmd) Run(a *app) error {
	ring, err := c.ring()
	if err != nil {
		return err
	}
	known, err := parseHead(c.Head)
	if err != nil {
		return err
	}
	var keys audit.Keys
	if ring != nil {
		keys = ring
	}
	var report audit.Report
	if c.File != "" {
		report, err = verifyFile(c.File, keys, known)
	} else {
		report, err = c.verifyDatabase(a, ring, keys, known)
	}
	if err != nil {
		return err
	}
	return say(a.stdout, report)
}

func (c *auditVerifyCmd) verifyDatabase(a *app, ring *secret.Keyring, keys audit.Keys, known *audit.Head) (report audit.Report, err error) {
	db, err := database{DatabaseURL: c.DatabaseURL}.open(a.stop)
	if err != nil {
		return report, err
	}
	defer db.Close()
	if ring != nil {
		db.SealWith(ring)
	}
	report, err = db.Verify(a.stop, keys, known, func(checked, of int64) { fmt.Fprintf(a.stderr, "%d of %d\n", checked, of) })
	if err != nil {
		return report, err
	}
	ctx := byHand(a.stop)
	err = db.InTx(ctx, func(q postgres.Querier) error { return postgres.Note(ctx, q, audit.Verified(report)) })
	if err != nil {
		fmt.Fprintf(a.stderr, "orq: that it was verified is not in the audit log: %s\n", err)
	}
	return report, nil
}

// parseHead reads NUMBER:HASH; nil when there is none.
func parseHead(text string) (*audit.Head, error) {
	if text == "" {
		return nil, nil
	}
	var h audit.Head
	var hash string
	if _, err := fmt.Sscanf(text, "%d:%s", &h.Number, &hash); err != nil || h.Number < 1 || h.Hash.UnmarshalText([]byte(hash)) != nil {
		return nil, fault.New(fault.Invalid, "head", "--head %q is not NUMBER:HASH, as orq audit verify prints it", text)
	}
	return &h, nil
}

// verifyFile verifies a whole export.
func verifyFile(path string, keys audit.Keys, known *audit.Head) (report audit.Report, err error) {
	f, err := os.Open(path)
	if err != nil {
		return report, fmt.Errorf("open the export: %w", err)
	}
	defer func() { _ = f.Close() }()
	v := audit.NewVerifier(keys).Knowing(known)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		e, err := audit.Parse(lines.Bytes())
		if err != nil {
			return report, fmt.Errorf("line %d of %s: %w", n, path, err)
		}
		if !v.Add(e) {
			break
		}
	}
	if err := lines.Err(); err != nil {
		return report, fmt.Errorf("read the export: %w", err)
	}
	return v.End(nil), nil
}

// say prints a report. It holds nothing that anybody typed.
func say(w io.Writer, r audit.Report) error {
	fmt.Fprintf(w, "entries  %d\n", r.Entries)
	if r.First != nil {
		fmt.Fprintf(w, "first    %d, %s\n", r.First.Number, r.First.At.Format(time.RFC3339))
	}
	if r.Last != nil {
		fmt.Fprintf(w, "last     %d, %s\n", r.Last.Number, r.Last.At.Format(time.RFC3339))
		fmt.Fprintf(w, "head     %d:%s\n", r.Last.Number, r.Last.Hash)
	}
	if r.Cut > 0 {
		fmt.Fprintf(w, "removed  up to %d, because of their age\n", r.Cut)
	}
	switch {
	case !r.Keyed:
		fmt.Fprintln(w, "seals    not checked: ORQ_SECRET_KEY is not set")
	default:
		fmt.Fprintf(w, "seals    good up to %d\n", r.Sealed)
	}
	if r.OK {
		_, err := fmt.Fprintln(w, "ok")
		return err //nolint:wrapcheck // standard output is gone
	}
	return fmt.Errorf("the audit log is broken at entry %d (%s): %s", r.Broken.Number, r.Broken.Problem, r.Broken.Message)
}

type auditExportCmd struct {
	database    `embed:""`
	perhapsKeys `embed:""`
	Format      string `default:"json" enum:"json,csv" help:"Form: ${enum}; json is an object per line, from which the chain can be verified."`
	From        string `help:"Only entries from this instant on, as in 2026-01-31T00:00:00Z."`
	To          string `help:"Only entries up to this instant."`
	Project     string `help:"Only entries of the project with this id."`
	Action      string `help:"Only this action, as in workflow.update, or all of a kind, as in workflow."`
}

// Run writes the log out.
func (c *auditExportCmd) Run(a *app) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	ring, err := c.ring()
	if err != nil {
		return err
	}
	db, err := c.open(a.stop)
	if err != nil {
		return err
	}
	defer db.Close()
	if ring != nil {
		db.SealWith(ring)
	}
	ctx := byHand(a.stop)
	// It is noted before it leaves: who took it must be known also when it breaks off.
	err = db.InTx(ctx, func(q postgres.Querier) error {
		return postgres.Note(ctx, q, audit.Exported(audit.Format(c.Format), filter.Said()))
	})
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.stdout)
	if _, err := db.ExportAudit(a.stop, out, audit.Format(c.Format), filter); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

func (c *auditExportCmd) filter() (f postgres.AuditFilter, err error) {
	f.Action = c.Action
	for _, instant := range []struct {
		name, text string
		into       **time.Time
	}{{"--from", c.From, &f.From}, {"--to", c.To, &f.To}} {
		if instant.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, instant.text)
		if err != nil {
			return f, fault.New(fault.Invalid, "instant", "%s %q is no instant; write it as 2026-01-31T00:00:00Z", instant.name, instant.text)
		}
		*instant.into = &at
	}
	if c.Project != "" {
		id, err := uuid.Parse(c.Project)
		if err != nil {
			return f, fault.New(fault.Invalid, "project", "--project %q is not the id of a project", c.Project)
		}
		f.Project = &id
	}
	return f, nil
}
