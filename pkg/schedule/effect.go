package schedule

import (
	"fmt"
	"time"
)

// effects says, per language, what an anomaly does: the clock's change first, with the time before, the time after and
// the day.
var effects = map[string]struct {
	gap, repeat string
	outcome     map[string]string // of OutcomeMoved, the time after the change is an argument
}{
	"en": {
		gap: "The clock jumps from %s to %s on %s", repeat: "The clock goes back from %s to %s on %s",
		outcome: map[string]string{
			OutcomeMoved:   "what is due in between runs at %s, once",
			OutcomeSkipped: "what is due in between does not run",
			OutcomeFirst:   "what is due in the repeated time runs once, at the first pass",
			OutcomeSecond:  "what is due in the repeated time runs once, at the second pass",
			OutcomeBoth:    "what is due in the repeated time runs twice",
			OutcomeSpacing: "the interval is not evenly spaced there",
		},
	},
	"es": {
		gap: "El reloj salta de %s a %s el %s", repeat: "El reloj retrocede de %s a %s el %s",
		outcome: map[string]string{
			OutcomeMoved:   "lo que toca en ese hueco se ejecuta al terminar (%s), una sola vez",
			OutcomeSkipped: "lo que toca en ese hueco no se ejecuta",
			OutcomeFirst:   "lo que toca en la hora repetida se ejecuta una vez, en la primera pasada",
			OutcomeSecond:  "lo que toca en la hora repetida se ejecuta una vez, en la segunda pasada",
			OutcomeBoth:    "lo que toca en la hora repetida se ejecuta dos veces",
			OutcomeSpacing: "el intervalo no es regular en ese momento",
		},
	},
}

// Explain says what happens, in en or es; any other language is en.
func (a Anomaly) Explain(lang string) string {
	words, ok := effects[lang]
	if !ok {
		words = effects["en"]
	}
	change := words.gap
	if a.Kind == AnomalyRepeat {
		change = words.repeat
	}
	from, to := clockOf(a.From), clockOf(a.To)
	if date := a.To[:len(time.DateOnly)]; date != a.From[:len(time.DateOnly)] && a.Kind == AnomalyGap && to == from {
		to = date + " " + to // a whole day is left out
	}
	outcome := words.outcome[a.Outcome]
	if a.Outcome == OutcomeMoved {
		outcome = fmt.Sprintf(outcome, to)
	}
	return fmt.Sprintf(change, from, to, a.From[:len(time.DateOnly)]) + ": " + outcome
}

// clockOf is the hour and minute of a wall clock's text.
func clockOf(local string) string { return local[len(time.DateOnly)+1:][:len("15:04")] }
