package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Facts are what a message is about. Error and Reason come without secrets.
type Facts struct {
	Rule     string     `json:"rule,omitempty"`
	Workflow string     `json:"workflow,omitempty"` // its name; of storage the project's
	RunID    *uuid.UUID `json:"run_id,omitempty"`
	Trigger  string     `json:"trigger,omitempty"` // its id in the definition
	Step     string     `json:"step,omitempty"`    // that failed
	Error    string     `json:"error,omitempty"`   // of that step, else why the run failed
	Code     string     `json:"code,omitempty"`    // why, for programs
	Reason   string     `json:"reason,omitempty"`  // why, for people
	Since    time.Time  `json:"since"`             // the first cause
	At       time.Time  `json:"at"`                // the latest cause; of a recovery when it was noticed
	Count    int        `json:"count"`             // causes since it began
	More     int        `json:"more,omitempty"`    // of those, how many came after the message before and are told by this one
	Again    bool       `json:"again,omitempty"`   // there was a message before
	Streak   int        `json:"streak,omitempty"`  // failure: the failed runs in a row that the rule waits for
	Within   string     `json:"within,omitempty"`  // late_…: the time that it had
	Of       Kind       `json:"of,omitempty"`      // recovery: what is over
	Told     []string   `json:"told,omitempty"`    // digest: the titles of what was kept, the oldest first
}

// Message is what is sent.
type Message struct {
	Title string
	Text  string
}

// mostTold is how many messages a digest lists.
const mostTold = 50

// Write writes a message in a rule's language, its times by the rule's clock.
func Write(kind Kind, f Facts, language string, zone *time.Location) Message {
	w := writer{words: vocabulary["en"], zone: zone}
	if other, ok := vocabulary[language]; ok {
		w.words = other
	}
	title := w.title(kind, f)
	return Message{Title: title, Text: w.text(kind, f)}
}

type writer struct {
	words words
	zone  *time.Location
}

// words are the texts of a language; each is a format.
type words struct {
	failed, failedRow, stillFails, missed, lateStart, lateFinish, held, heartbeat, storage, test, digest string
	over                                                                                                 map[Kind]string
	step, reason, trigger, within, since, sinceCount, more, lasted, rule, tested, others                 string
	date                                                                                                 string
	months                                                                                               [12]string
}

var vocabulary = map[string]words{
	"en": {
		failed: "%s failed", failedRow: "%s failed %d times in a row", stillFails: "%s keeps failing", missed: "%s did not run when it was due",
		lateStart: "%s did not begin in time", lateFinish: "%s did not end in time", held: "%s waits for a person",
		heartbeat: "%s: no ping", storage: "The project %s is running out of storage", test: "A test of the channel %s", digest: "%d alerts from the quiet hours",
		over: map[Kind]string{
			Failure: "%s succeeded again", Missed: "%s runs on time again", LateStart: "%s has begun", LateFinish: "%s has ended",
			Held: "%s does not wait for a person any more", Heartbeat: "%s: pings come again", Storage: "The project %s has room again",
		},
		step: "Step %s: %s", reason: "Why: %s", trigger: "Trigger: %s", within: "It should have within %s.", since: "Since %s.",
		sinceCount: "%d times since %s.", more: "%d of them since the message before.", lasted: "It began at %s and took %s.",
		rule: "Rule: %s", tested: "If you can read this, alerts arrive here.", others: "… and %d others", date: "2 Jan 2006 15:04 MST",
	},
	"es": {
		failed: "%s ha fallado", failedRow: "%s ha fallado %d veces seguidas", stillFails: "%s sigue fallando", missed: "%s no se ejecutó cuando tocaba",
		lateStart: "%s no ha empezado a tiempo", lateFinish: "%s no ha terminado a tiempo", held: "%s espera a una persona",
		heartbeat: "%s: falta una señal", storage: "El proyecto %s se está quedando sin espacio", test: "Prueba del canal %s", digest: "%d alertas de las horas de silencio",
		over: map[Kind]string{
			Failure: "%s vuelve a funcionar", Missed: "%s vuelve a ejecutarse a su hora", LateStart: "%s ya ha empezado", LateFinish: "%s ya ha terminado",
			Held: "%s ya no espera a nadie", Heartbeat: "%s: vuelven a llegar señales", Storage: "El proyecto %s vuelve a tener espacio",
		},
		step: "Paso %s: %s", reason: "Motivo: %s", trigger: "Disparador: %s", within: "Debía hacerlo en %s.", since: "Desde el %s.",
		sinceCount: "%d veces desde el %s.", more: "%d de ellas desde el mensaje anterior.", lasted: "Empezó el %s y duró %s.",
		rule: "Regla: %s", tested: "Si lees esto, las alertas llegan aquí.", others: "… y %d más", date: "2 Jan 2006 15:04 MST",
		months: [12]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"},
	},
}

func (w writer) title(kind Kind, f Facts) string {
	t := w.words
	switch kind {
	case Failure:
		switch {
		case f.Again:
			return fmt.Sprintf(t.stillFails, f.Workflow)
		case f.Streak > 1:
			return fmt.Sprintf(t.failedRow, f.Workflow, f.Streak)
		}
		return fmt.Sprintf(t.failed, f.Workflow)
	case Recovery:
		return fmt.Sprintf(t.over[f.Of], f.Workflow)
	case Test:
		return fmt.Sprintf(t.test, f.Reason)
	case Digest:
		return fmt.Sprintf(t.digest, f.Count)
	}
	return fmt.Sprintf(map[Kind]string{
		Missed: t.missed, LateStart: t.lateStart, LateFinish: t.lateFinish, Held: t.held, Heartbeat: t.heartbeat, Storage: t.storage,
	}[kind], f.Workflow)
}

func (w writer) text(kind Kind, f Facts) string {
	t := w.words
	var lines []string
	say := func(when bool, format string, args ...any) {
		if when {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	switch kind {
	case Test:
		return t.tested
	case Digest:
		for _, title := range f.Told[:min(len(f.Told), mostTold)] {
			lines = append(lines, "• "+title)
		}
		say(f.Count > len(lines), t.others, f.Count-len(lines))
		say(f.Rule != "", t.rule, f.Rule)
		return strings.Join(lines, "\n")
	}
	say(f.Step != "", t.step, f.Step, f.Error)
	say(f.Step == "" && f.Error != "", t.reason, f.Error)
	say(f.Reason != "", t.reason, f.Reason)
	say(f.Trigger != "", t.trigger, f.Trigger)
	say(f.Within != "" && kind != Recovery, t.within, f.Within)
	switch {
	case kind == Recovery:
		say(true, t.lasted, w.at(f.Since), lasting(f.At.Sub(f.Since)))
	case f.Count > 1:
		say(true, t.sinceCount, f.Count, w.at(f.Since))
		say(f.Again && f.More > 0, t.more, f.More)
	default:
		say(true, t.since, w.at(f.Since))
	}
	say(f.Rule != "", t.rule, f.Rule)
	return strings.Join(lines, "\n")
}

// at writes an instant by the rule's clock.
func (w writer) at(t time.Time) string {
	t = t.In(w.zone)
	text := t.Format(w.words.date)
	if month := w.words.months[t.Month()-1]; month != "" {
		text = strings.Replace(text, t.Format("Jan"), month, 1)
	}
	return text
}

// lasting writes a length of time to the second.
func lasting(d time.Duration) string {
	return workflow.Duration(max(d.Round(time.Second), 0)).String()
}

// Color is how chat services show a message.
func Color(kind Kind) string {
	switch kind {
	case Recovery:
		return "green"
	case Test:
		return "blue"
	case Held, LateStart, LateFinish, Missed, Digest:
		return "yellow"
	}
	return "red"
}

// Value is a message as the templates of a channel see it. link is empty when the installation does not know its address.
func Value(id uuid.UUID, kind Kind, m Message, f Facts, workflowID *uuid.UUID, link string) map[string]any {
	whole := m.Title + "\n\n" + m.Text
	if link != "" {
		whole += "\n\n" + link
	}
	v := map[string]any{
		"id": id.String(), "kind": string(kind), "of": string(f.Of), "title": m.Title, "text": m.Text, "message": whole, "link": link, "color": Color(kind),
		"rule": f.Rule, "workflow": f.Workflow, "workflow_id": nil, "run_id": nil, "trigger": f.Trigger, "step": f.Step, "error": f.Error,
		"code": f.Code, "reason": f.Reason, "count": f.Count, "since": stamp(f.Since), "at": stamp(f.At), "titles": f.Told,
	}
	if workflowID != nil {
		v["workflow_id"] = workflowID.String()
	}
	if f.RunID != nil {
		v["run_id"] = f.RunID.String()
	}
	return v
}

// stamp writes an instant as the API does; nil for none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
