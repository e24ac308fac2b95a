package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// explainEventWords are the sentences about triggers that wait for events, in one language.
type explainEventWords struct {
	arrived, nothing, noEnd, notLate string
	verdicts                         map[string]string
}

var explainEventEnglish = explainEventWords{
	arrived: "In that minute arrived: %s.",
	nothing: "No request came to its address in that minute.",
	noEnd:   "In that minute no run ended that it waits for.",
	notLate: "In that minute no ping became late.",
	verdicts: map[string]string{
		postgres.VerdictAccepted: "%d that became runs", postgres.VerdictDuplicate: "%d that had come before",
		postgres.VerdictFiltered: "%d that its filter does not want", postgres.VerdictSkipped: "%d while a run had not finished",
		postgres.VerdictRefused: "%d that were refused",
	},
}

var explainEventSpanish = explainEventWords{
	arrived: "En ese minuto llegaron: %s.",
	nothing: "En ese minuto no llegó ninguna petición a su dirección.",
	noEnd:   "En ese minuto no terminó ninguna ejecución de las que espera.",
	notLate: "En ese minuto no se retrasó ningún latido.",
	verdicts: map[string]string{
		postgres.VerdictAccepted: "%d que se ejecutaron", postgres.VerdictDuplicate: "%d repetidas",
		postgres.VerdictFiltered: "%d que su filtro no quiere", postgres.VerdictSkipped: "%d mientras otra ejecución no había terminado",
		postgres.VerdictRefused: "%d rechazadas",
	},
}

// explainEvent says what a trigger that waits for events made of the minute in question. Its local times are in UTC.
func (s *server) explainEvent(ctx context.Context, f *facts, text, lang string) (oas.Explanation, error) {
	var err error
	if f.at, _, err = timeOf(text); err != nil {
		return oas.Explanation{}, err
	}
	if f.schedule, err = schedule.Compile(schedule.Spec{Every: time.Minute}); err != nil { // for the clock of the answer
		return oas.Explanation{}, err
	}
	pauses, err := postgres.Pauses{Q: s.db}.Since(ctx, []uuid.UUID{f.trigger.ID}, f.at)
	if err != nil {
		return oas.Explanation{}, err
	}
	if i := slices.IndexFunc(pauses[f.trigger.ID], func(p postgres.Pause) bool { return p.Covers(f.at) }); i >= 0 {
		f.pause = &pauses[f.trigger.ID][i]
	}
	e := oas.Explanation{At: wire.At(f.at), Local: f.at.Format(time.RFC3339), Timezone: "UTC", Backfilled: []uuid.UUID{}}
	row, found, err := postgres.Occurrences{Q: s.db}.About(ctx, f.trigger.ID, f.at, f.at.Add(schedule.PeopleMean))
	if err != nil {
		return e, err
	}
	if found {
		o, fire := occurrenceOf(row), wire.At(row.FireAt)
		f.row, f.fire, e.Occurrence, e.FireAt, e.Expected = &row, row.FireAt, &o, &fire, true
		e.Answer, e.Text = f.recorded(wordsOf(lang))
		if row.Outcome == postgres.OutcomeRan && row.Reason != nil {
			e.Text = strings.TrimSuffix(e.Text, ".") + ": " + *row.Reason + "."
		}
		return e, nil
	}
	counts := map[string]int{}
	if f.trigger.Spec.Type == workflow.TriggerWebhook {
		if counts, err = (postgres.Deliveries{Q: s.db}).Counts(ctx, f.trigger.ID, f.at, f.at.Add(schedule.PeopleMean)); err != nil {
			return e, err
		}
	}
	e.Answer, e.Text = f.eventAnswer(counts, lang)
	e.Expected = e.Answer == oas.ExplanationAnswerRan || e.Answer == oas.ExplanationAnswerSkipped
	return e, nil
}

// eventAnswer says what arrived, or why nothing is there to tell of.
func (f *facts) eventAnswer(counts map[string]int, lang string) (oas.ExplanationAnswer, string) {
	w, old := &explainEventEnglish, wordsOf(lang)
	if lang == "es" {
		w = &explainEventSpanish
	}
	var parts []string
	for _, v := range []string{
		postgres.VerdictAccepted, postgres.VerdictDuplicate, postgres.VerdictFiltered, postgres.VerdictSkipped, postgres.VerdictRefused,
	} {
		if counts[v] > 0 {
			parts = append(parts, fmt.Sprintf(w.verdicts[v], counts[v]))
		}
	}
	switch {
	case len(parts) > 0 && counts[postgres.VerdictAccepted] > 0:
		return oas.ExplanationAnswerRan, fmt.Sprintf(w.arrived, strings.Join(parts, ", "))
	case len(parts) > 0:
		return oas.ExplanationAnswerSkipped, fmt.Sprintf(w.arrived, strings.Join(parts, ", "))
	case f.at.Before(f.trigger.CreatedAt):
		return oas.ExplanationAnswerBeforeCreated, fmt.Sprintf(old.beforeCreated, f.clock(f.trigger.CreatedAt))
	case f.pause != nil:
		return oas.ExplanationAnswer(f.pause.Code), sentence(f.off(old, f.pause.Code))
	}
	switch f.trigger.Spec.Type {
	case workflow.TriggerWebhook:
		return oas.ExplanationAnswerNoEvent, w.nothing
	case workflow.TriggerAfter:
		return oas.ExplanationAnswerNoEvent, w.noEnd
	}
	return oas.ExplanationAnswerNoEvent, w.notLate
}
