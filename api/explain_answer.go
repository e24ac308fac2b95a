package api

import (
	"fmt"
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// answer says why, for programs and for people. What the ledger has comes first; then what keeps a fire from running that
// is to come, or that the ledger does not have; then why there is no fire.
func (f *facts) answer(w *explainWords, lang string) (oas.ExplanationAnswer, string) {
	var code oas.ExplanationAnswer
	var text string
	switch {
	case f.row != nil:
		code, text = f.recorded(w)
	case !f.fire.IsZero():
		code, text = f.unrecorded(w)
	default:
		code, text = f.noFire(w, lang)
	}
	if f.absent != nil && f.absent.Reason == schedule.AbsentMoved {
		text = sentence(f.absent.Explain(lang)) + " " + text
	}
	if len(f.runs) > 0 && code != oas.ExplanationAnswerBackfilled {
		text += " " + w.alsoBackfilled
	}
	return code, text
}

// recorded explains a fire that the ledger has.
func (f *facts) recorded(w *explainWords) (oas.ExplanationAnswer, string) {
	row := f.row
	switch row.Outcome {
	case postgres.OutcomeRan:
		if is(row.Code, postgres.CodeBackfill) {
			return oas.ExplanationAnswerBackfilled, w.backfilled
		}
		if start := f.start(); start.After(f.fire) {
			return oas.ExplanationAnswerRan, fmt.Sprintf(w.ranJitter, f.clock(start))
		}
		return oas.ExplanationAnswerRan, w.ran
	case postgres.OutcomeRanLate:
		return oas.ExplanationAnswerRanLate, w.ranLate + f.because(w, ". ")
	case postgres.OutcomeCoalesced:
		return oas.ExplanationAnswerCoalesced, w.coalesced + f.because(w, ". ")
	case postgres.OutcomeSuperseded:
		return oas.ExplanationAnswerSuperseded, w.superseded + f.because(w, ": ")
	}
	return oas.ExplanationAnswerSkipped, w.skipped + f.because(w, ": ")
}

// because says in the caller's language what the row's code says for programs; a code that says nothing of its own is
// followed by the reason as it was written.
func (f *facts) because(w *explainWords, joint string) string {
	code := ""
	if f.row.Code != nil {
		code = *f.row.Code
	}
	var text string
	switch code {
	case postgres.CodeDisabled, postgres.CodePaused:
		text = f.off(w, code)
	case postgres.CodeExcluded:
		text = f.excluded(w)
	case postgres.CodeMaxRuns:
		text = fmt.Sprintf(w.maxRuns, f.trigger.RunsMade)
	case postgres.CodeChanged:
		text = w.codes[code]
		if n := versionIn(f.row.Reason); n != "" {
			text = fmt.Sprintf(w.changedIn, n)
		}
	default:
		text = w.codes[code]
	}
	if text == "" && f.row.Reason != nil {
		text = *f.row.Reason
	}
	if text == "" {
		return "."
	}
	if joint == ". " {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return joint + strings.TrimSuffix(text, ".") + "."
}

// versionIn is the number at the end of a reason such as "changed in version 3".
func versionIn(reason *string) string {
	if reason == nil {
		return ""
	}
	_, n, _ := strings.Cut(*reason, "version ")
	return n
}

// unrecorded explains a fire that the ledger does not have.
func (f *facts) unrecorded(w *explainWords) (oas.ExplanationAnswer, string) {
	start := f.start()
	switch _, off := f.spec.DaysOff(f.calendar).Holds(f.schedule.Date(f.fire)); {
	case f.fire.Before(f.trigger.CreatedAt):
		return oas.ExplanationAnswerBeforeCreated, fmt.Sprintf(w.beforeCreated, f.clock(f.trigger.CreatedAt))
	case f.pause != nil:
		return oas.ExplanationAnswer(f.pause.Code), sentence(f.off(w, f.pause.Code))
	case off:
		return oas.ExplanationAnswerExcluded, sentence(f.excluded(w))
	case start.After(f.now) && f.spec.MaxRuns > 0 && f.trigger.RunsMade >= f.spec.MaxRuns:
		return oas.ExplanationAnswerMaxRuns, sentence(fmt.Sprintf(w.maxRuns, f.trigger.RunsMade))
	case start.After(f.now):
		return oas.ExplanationAnswerWillRun, fmt.Sprintf(w.willRun, f.clock(start))
	case f.trigger.NextFireAt != nil && !f.fire.Before(*f.trigger.NextFireAt):
		return oas.ExplanationAnswerOverdue, w.overdue
	}
	return oas.ExplanationAnswerNoRecord, w.noRecord
}

// noFire explains a time at which the trigger does not fire.
func (f *facts) noFire(w *explainWords, lang string) (oas.ExplanationAnswer, string) {
	switch {
	case f.version == nil || f.at.Before(f.trigger.CreatedAt):
		return oas.ExplanationAnswerBeforeCreated, fmt.Sprintf(w.beforeCreated, f.clock(f.trigger.CreatedAt))
	case f.pause != nil && f.pause.Code == postgres.PauseRemoved:
		return oas.ExplanationAnswerRemoved, sentence(f.off(w, f.pause.Code))
	case f.spec == nil || f.absent == nil:
		return oas.ExplanationAnswerNotInVersion, fmt.Sprintf(w.notInVersion, f.version.Version)
	}
	text := sentence(f.absent.Explain(lang))
	if f.trigger.Version != f.version.Version {
		text += " " + fmt.Sprintf(w.thenInForce, f.version.Version)
	}
	return oas.ExplanationAnswer(f.absent.Reason), text
}

// off says who or what had switched the trigger off, and when.
func (f *facts) off(w *explainWords, code string) string {
	p := f.pause
	switch {
	case p == nil || p.Code != code:
		return w.codes[code]
	case code == postgres.PauseFailures:
		return fmt.Sprintf(w.pausedAfter, p.Detail, f.clock(p.OffAt))
	case p.Detail == "":
		return fmt.Sprintf(w.offSince[code], f.clock(p.OffAt))
	}
	return fmt.Sprintf(w.offBy[code], p.Detail, f.clock(p.OffAt))
}

// excluded says which date it is, and whose.
func (f *facts) excluded(w *explainWords) string {
	date := f.schedule.Date(f.fire)
	if f.spec != nil {
		if calendar, off := f.spec.DaysOff(f.calendar).Holds(date); off && calendar != "" {
			return fmt.Sprintf(w.inCalendar, date, calendar)
		}
	}
	return fmt.Sprintf(w.excluded, date)
}

// clock shows an instant on the clock of the trigger's zone.
func (f *facts) clock(t time.Time) string {
	return f.schedule.Local(t).Format("2006-01-02 15:04:05 -07:00")
}

func is(code *string, want string) bool { return code != nil && *code == want }

// sentence makes one of a clause.
func sentence(clause string) string {
	if clause == "" {
		return ""
	}
	return strings.ToUpper(clause[:1]) + strings.TrimSuffix(clause[1:], ".") + "."
}
