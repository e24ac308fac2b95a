package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

type scheduleCmd struct {
	Preview previewCmd `cmd:"" help:"Say when a schedule fires, and what clock changes do to it. Needs neither server nor database."`
}

type previewCmd struct {
	Cron        string        `arg:"" optional:"" help:"Five fields (minute first), six (second first) or @daily and its like."`
	Every       time.Duration `help:"A fixed interval instead, as in 90s."`
	Timezone    string        `default:"UTC" help:"IANA name, as in Europe/Madrid."`
	From        string        `help:"Begin after this instant (RFC 3339) or local date; now when absent."`
	Count       int           `default:"10" help:"How many fires."`
	Gap         string        `default:"" enum:",run_after,skip" help:"A local time that a clock change skips: run_after or skip."`
	OverlapHour string        `default:"" enum:",first,second,both" help:"A local hour that a clock change repeats: first, second or both."`
	Years       int           `default:"2" help:"For how many years clock changes are listed."`
	Lang        string        `default:"en" enum:"en,es" env:"ORQ_LANG" help:"Language: en or es."`
	Output      string        `default:"table" enum:"table,json" help:"table or json."`
}

// previewed is what the command prints as JSON; its names are those of the API.
type previewed struct {
	Description string          `json:"description"`
	Timezone    string          `json:"timezone"`
	Fires       []schedule.Fire `json:"fires"`
	Anomalies   []anomaly       `json:"anomalies"`
}

type anomaly struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Effect string    `json:"effect"`
}

// Run prints the preview.
func (p previewCmd) Run(a *app) error {
	shown, err := p.preview()
	if err != nil {
		return withTry(err)
	}
	if p.Output == "json" {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(shown) //nolint:wrapcheck // standard output is gone
	}
	return shown.print(a.stdout)
}

func (p previewCmd) preview() (previewed, error) {
	from, err := p.from()
	if err != nil {
		return previewed{}, err
	}
	if p.Count < 1 || p.Count > 1000 || p.Years < 0 || p.Years > 20 {
		return previewed{}, fault.New(fault.Invalid, "range", "--count must be from 1 to 1000, and --years from 0 to 20")
	}
	s, err := schedule.Compile(schedule.Spec{
		Cron: p.Cron, Every: p.Every, Timezone: p.Timezone, Gap: p.Gap, OverlapHour: p.OverlapHour,
	})
	if err != nil {
		return previewed{}, err
	}
	shown := previewed{
		Description: s.Describe(p.Lang), Timezone: p.Timezone, Fires: s.Fires(from, p.Count), Anomalies: []anomaly{},
	}
	for _, found := range s.Anomalies(from, from.AddDate(p.Years, 0, 0)) {
		shown.Anomalies = append(shown.Anomalies, anomaly{At: found.At, Kind: found.Kind, Effect: found.Explain(p.Lang)})
	}
	return shown, nil
}

// from reads an instant, or a date of the zone.
func (p previewCmd) from() (time.Time, error) {
	if p.From == "" {
		return clock.System{}.Now(), nil
	}
	if at, err := time.Parse(time.RFC3339, p.From); err == nil {
		return at, nil
	}
	zone, err := time.LoadLocation(p.Timezone)
	if err != nil {
		zone = time.UTC // the schedule's own check says what is wrong with it
	}
	at, err := time.ParseInLocation(time.DateOnly, p.From, zone)
	if err != nil {
		return at, fault.New(fault.Invalid, "instant", "--from is %q; it must be an instant such as 2026-03-29T00:00:00Z, or a date", p.From)
	}
	return at.Add(-time.Nanosecond), nil
}

// withTry makes one line of everything that is wrong, and says where there is help.
func withTry(err error) error {
	said := []string{err.Error()}
	if e, ok := fault.Of(err); ok && len(e.Fields) > 0 {
		said = nil
		for _, f := range e.Fields {
			said = append(said, strings.TrimPrefix(f.Pointer, "/")+": "+f.Message)
		}
	}
	return fault.New(fault.Invalid, "schedule", "%s\nTry: orq schedule preview \"0 9 * * MON-FRI\" --timezone Europe/Madrid", strings.Join(said, "\n     "))
}

// marks say in one word what is special about a fire.
var marks = map[string]string{
	schedule.NoteGapMoved: "gap: moved to its end", schedule.NoteFirstPass: "repeated hour: first pass",
	schedule.NoteSecondPass: "repeated hour: second pass",
}

func (p previewed) print(w io.Writer) error {
	fmt.Fprintf(w, "%s (%s)\n\n", p.Description, p.Timezone)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, f := range p.Fires {
		mark := marks[f.Note]
		if mark != "" {
			mark = "\t" + mark
		}
		fmt.Fprintf(table, "%s\t%s%s\n", f.Local, f.At.Format(time.RFC3339), mark)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if len(p.Anomalies) > 0 {
		fmt.Fprintln(w)
	}
	for _, a := range p.Anomalies {
		if _, err := fmt.Fprintf(w, "%s  %s: %s\n", a.At.Format(time.RFC3339), a.Kind, a.Effect); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
