package schedule

// absenceWords are the sentences of an Absence in one language.
type absenceWords struct {
	beforeStart, afterEnd, once, interval, repeated, gap, moved, mismatch, field, other string
	units                                                                               [6]string
	days                                                                                [7]string
	months                                                                              [12]string
}

var absences = map[string]absenceWords{
	"en": {
		beforeStart: "the schedule starts later, at %s",
		afterEnd:    "the schedule ended before, at %s",
		once:        "the schedule fires once, at %s",
		interval:    "the interval of %s, counted from %s, does not come by then",
		repeated:    "the clock shows %s twice that day, and the schedule fires at the other pass",
		gap:         "the clock jumps over %s that day, and the schedule leaves such times out",
		moved:       "the clock jumps over %s that day, so that the schedule fires when the jump is over",
		mismatch:    "the schedule %q does not match: %s",
		field:       "the %s is %s, wanted %s",
		other:       "the schedule %q has no second in that minute",
		units:       [6]string{"second", "minute", "hour", "day of the month", "month", "weekday"},
		days:        english.days,
		months:      english.months,
	},
	"es": {
		beforeStart: "la programación empieza más tarde, el %s",
		afterEnd:    "la programación terminó antes, el %s",
		once:        "la programación se dispara una sola vez, el %s",
		interval:    "el intervalo de %s, contado desde %s, no pasa por ese momento",
		repeated:    "el reloj marca las %s dos veces ese día, y la programación se dispara en la otra pasada",
		gap:         "el reloj salta las %s ese día, y la programación deja fuera esas horas",
		moved:       "el reloj salta las %s ese día, así que la programación se dispara al terminar el salto",
		mismatch:    "la programación %q no coincide: %s",
		field:       "%s: es %s y se pide %s",
		other:       "la programación %q no tiene ningún segundo en ese minuto",
		units:       [6]string{"segundo", "minuto", "hora", "día del mes", "mes", "día de la semana"},
		days:        spanish.days,
		months:      spanish.months,
	},
}
