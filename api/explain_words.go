package api

import "github.com/guildmember145/orquestador-plataforma/pkg/postgres"

// explainWords are the sentences of an explanation in one language. Instants are given as text.
type explainWords struct {
	ran, ranJitter, ranLate, coalesced, superseded, skipped, backfilled, alsoBackfilled string
	willRun, overdue, noRecord, beforeCreated, notInVersion, thenInForce                string
	excluded, inCalendar, maxRuns, pausedAfter, changedIn                               string
	offBy, offSince, codes                                                              map[string]string // by code
}

func wordsOf(lang string) *explainWords {
	if lang == "es" {
		return &explainSpanish
	}
	return &explainEnglish
}

var explainEnglish = explainWords{
	ran:            "It ran on time.",
	ranJitter:      "It ran; with its jitter it was to begin at %s.",
	ranLate:        "It was missed at its time, and ran later",
	coalesced:      "It was missed, and one run was made for it and a newer fire",
	superseded:     "It was planned, but not any more when it was due",
	skipped:        "It was due and did not run",
	backfilled:     "Its schedule did not run it; a backfill did.",
	alsoBackfilled: "A backfill has run it as well.",
	willRun:        "It will run at %s.",
	overdue:        "It is due, and no scheduler has come to it yet.",
	noRecord:       "It was expected, but the ledger has no record of it: it is older than what the ledger keeps.",
	beforeCreated:  "The trigger was not there yet: it was created at %s.",
	notInVersion:   "Version %d of the workflow, in force then, does not have the trigger.",
	thenInForce:    "This is the schedule of version %d, which was in force then.",
	excluded:       "the date %s is excluded",
	inCalendar:     "the date %s is in the calendar %s",
	maxRuns:        "the trigger has made all its %d runs",
	pausedAfter:    "the trigger stopped after %s failed runs in a row, at %s",
	changedIn:      "version %s of the workflow changed the schedule",
	offBy: map[string]string{
		postgres.PauseDisabled: "it was disabled by %s at %s", postgres.PauseRemoved: "the trigger was removed by %s at %s",
	},
	offSince: map[string]string{
		postgres.PauseDisabled: "it was disabled at %s", postgres.PauseRemoved: "the trigger was removed at %s",
	},
	codes: map[string]string{
		postgres.CodeMissed:        "no scheduler was there in time, and the trigger's policy for missed fires does not run it",
		postgres.CodeOutsideWindow: "it was missed for longer than the catch-up window",
		postgres.CodeLimit:         "it was missed, and newer fires fill the catch-up limit",
		postgres.CodeOverlap:       "a run before it had not finished",
		postgres.CodeQueueFull:     "as many runs of the trigger were waiting as may",
		postgres.CodeQuotaRuns:     "its project had started as many runs within a minute as its quota lets it",
		postgres.CodeQuotaStorage:  "its project stored as much as its quota lets it",
		postgres.CodeDisabled:      "it was disabled",
		postgres.CodePaused:        "the trigger had stopped after failed runs",
		postgres.CodeChanged:       "an edit changed the schedule",
		postgres.CodeRemoved:       "an edit removed the trigger",
		postgres.CodeZoneData:      "the rules of its time zone changed",
	},
}

var explainSpanish = explainWords{
	ran:            "Se ejecutó a su hora.",
	ranJitter:      "Se ejecutó; con su dispersión debía empezar el %s.",
	ranLate:        "Se pasó su hora y se ejecutó más tarde",
	coalesced:      "Se pasó su hora y se hizo una sola ejecución para este disparo y otro más reciente",
	superseded:     "Estaba previsto, pero ya no cuando llegó su hora",
	skipped:        "Le tocaba y no se ejecutó",
	backfilled:     "Su programación no lo ejecutó; lo hizo una recuperación.",
	alsoBackfilled: "Además, una recuperación lo ha ejecutado.",
	willRun:        "Se ejecutará el %s.",
	overdue:        "Ya le toca y ningún planificador ha llegado todavía.",
	noRecord:       "Se esperaba, pero el registro no lo tiene: es anterior a lo que el registro conserva.",
	beforeCreated:  "El disparador todavía no existía: se creó el %s.",
	notInVersion:   "La versión %d del flujo, vigente entonces, no tiene el disparador.",
	thenInForce:    "Es la programación de la versión %d, vigente entonces.",
	excluded:       "la fecha %s está excluida",
	inCalendar:     "la fecha %s está en el calendario %s",
	maxRuns:        "el disparador ya ha hecho sus %d ejecuciones",
	pausedAfter:    "el disparador se detuvo tras %s ejecuciones fallidas seguidas, el %s",
	changedIn:      "la versión %s del flujo cambió la programación",
	offBy: map[string]string{
		postgres.PauseDisabled: "lo desactivó %s el %s", postgres.PauseRemoved: "el disparador lo quitó %s el %s",
	},
	offSince: map[string]string{
		postgres.PauseDisabled: "se desactivó el %s", postgres.PauseRemoved: "el disparador se quitó el %s",
	},
	codes: map[string]string{
		postgres.CodeMissed:        "no hubo planificador a tiempo, y la política del disparador para lo perdido no lo ejecuta",
		postgres.CodeOutsideWindow: "se perdió hace más tiempo del que se recupera",
		postgres.CodeLimit:         "se perdió, y otros más recientes llenan el límite de recuperación",
		postgres.CodeOverlap:       "una ejecución anterior no había terminado",
		postgres.CodeQueueFull:     "esperaban ya tantas ejecuciones del disparador como se permite",
		postgres.CodeQuotaRuns:     "su proyecto había iniciado en un minuto todas las ejecuciones que le permite su cuota",
		postgres.CodeQuotaStorage:  "su proyecto ya guardaba todo lo que le permite su cuota",
		postgres.CodeDisabled:      "estaba desactivado",
		postgres.CodePaused:        "el disparador se había detenido tras ejecuciones fallidas",
		postgres.CodeChanged:       "una edición cambió la programación",
		postgres.CodeRemoved:       "una edición quitó el disparador",
		postgres.CodeZoneData:      "cambiaron las reglas de su zona horaria",
	},
}
