package schedule

import (
	"testing"
	"time"
)

func TestDescribe(t *testing.T) {
	for _, c := range []struct{ cron, en, es string }{
		{"0 9 * * MON-FRI", "Every weekday at 09:00", "Cada día laborable a las 09:00"},
		{"0 9 * * *", "Every day at 09:00", "Cada día a las 09:00"},
		{"0 1 * * *", "Every day at 01:00", "Cada día a la 01:00"},
		{"0 1,13 * * *", "Every day at 01:00 and 13:00", "Cada día a la 01:00 y a las 13:00"},
		{"30 9,12,18 * * *", "Every day at 09:30, 12:30 and 18:30", "Cada día a las 09:30, 12:30 y 18:30"},
		{"15 30 9 * * *", "Every day at 09:30:15", "Cada día a las 09:30:15"},
		{"* * * * *", "Every minute", "Cada minuto"},
		{"* * * * * *", "Every second", "Cada segundo"},
		{"*/2 * * * * *", "Every 2 seconds", "Cada 2 segundos"},
		{"*/5 * * * *", "Every 5 minutes", "Cada 5 minutos"},
		{"0/15 * * * *", "Every 15 minutes", "Cada 15 minutos"},
		{"5/15 * * * *", "Every 15 minutes from minute 5 on", "Cada 15 minutos desde el minuto 5"},
		{"0 * * * *", "Every hour", "Cada hora"},
		{"5 * * * *", "Every hour at minute 5", "Cada hora en el minuto 5"},
		{"0 */2 * * *", "Every 2 hours", "Cada 2 horas"},
		{"10 */8 * * *", "Every 8 hours at minute 10", "Cada 8 horas en el minuto 10"},
		{"0 9-17 * * 1-5", "Every hour from 09:00 to 17:00, on weekdays", "Cada hora de 09:00 a 17:00, los días laborables"},
		{"*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:59, on weekdays", "Cada 15 minutos de 09:00 a 17:59, los días laborables"},
		{"*/10 8,12,20 * * *", "Every 10 minutes during the hours 8, 12 and 20", "Cada 10 minutos durante las horas 8, 12 y 20"},
		{"*/10 * * * 1,6", "Every 10 minutes, on Mondays and Saturdays", "Cada 10 minutos, los lunes y sábados"},
		{"*/10 * * 8 *", "Every 10 minutes, in August", "Cada 10 minutos, en agosto"},
		{"0 8 * * 1", "Every Monday at 08:00", "Cada lunes a las 08:00"},
		{"0 8 * * 7", "Every Sunday at 08:00", "Cada domingo a las 08:00"},
		{"0 8 * * 1,3,5", "Every Monday, Wednesday and Friday at 08:00", "Cada lunes, miércoles y viernes a las 08:00"},
		{"0 8 * * 1-4", "Every day from Monday to Thursday at 08:00", "De lunes a jueves a las 08:00"},
		{"0 8 * * FRI-SUN", "Every day from Friday to Sunday at 08:00", "De viernes a domingo a las 08:00"},
		{"0 8 * 1 1", "Every Monday in January at 08:00", "Cada lunes de enero a las 08:00"},
		{"0 8 * 6-8 *", "Every day from June to August at 08:00", "Cada día de junio a agosto a las 08:00"},
		{"0 0 1 * *", "On day 1 of every month at 00:00", "El día 1 de cada mes a las 00:00"},
		{"0 0 1,15 * *", "On days 1 and 15 of every month at 00:00", "Los días 1 y 15 de cada mes a las 00:00"},
		{"0 0 1-7 * *", "On days 1 to 7 of every month at 00:00", "Los días 1 a 7 de cada mes a las 00:00"},
		{"0 0 1 */3 *", "On day 1 of January, April, July and October at 00:00", "El día 1 de enero, abril, julio y octubre a las 00:00"},
		{"0 0 1 1 *", "Every year on 1 January at 00:00", "Cada año el 1 de enero a las 00:00"},
		{"@yearly", "Every year on 1 January at 00:00", "Cada año el 1 de enero a las 00:00"},
		{"0 0 L * *", "On the last day of every month at 00:00", "El último día de cada mes a las 00:00"},
		{"0 0 1,L * *", "On day 1 and the last day of every month at 00:00", "El día 1 y el último día de cada mes a las 00:00"},
		{"0 0 L-3 * *", "On the day 3 before the last of every month at 00:00", "El día que cae 3 antes del último de cada mes a las 00:00"},
		{"0 0 LW * *", "On the last workday of every month at 00:00", "El último día laborable de cada mes a las 00:00"},
		{"0 0 15W * *", "On the workday nearest to day 15 of every month at 00:00", "El día laborable más cercano al 15 de cada mes a las 00:00"},
		{"0 0 * * FRI#3", "On the third Friday of every month at 00:00", "El tercer viernes de cada mes a las 00:00"},
		{"0 0 * * MON#L", "On the last Monday of every month at 00:00", "El último lunes de cada mes a las 00:00"},
		{"0 0 13 * 5", "On day 13 of every month or on Fridays at 00:00", "El día 13 de cada mes o los viernes a las 00:00"},
		{"0 0 */10 * 1", "On days 1, 11, 21 and 31 of every month at 00:00, if it is Monday", "Los días 1, 11, 21 y 31 de cada mes a las 00:00, si es lunes"},
		{"*/7 * * * *", "At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour", "En los minutos 0, 7, 14, 21, 28, 35, 42, 49 y 56 de cada hora"},
		{"1,31 * * * 1", "Every 30 minutes from minute 1 on, on Mondays", "Cada 30 minutos desde el minuto 1, los lunes"},
		{"1,2,3,9 9-12 * * *", "At minutes 1 to 3 and 9, hours 9 to 12", "En los minutos 1 a 3 y 9, las horas 9 a 12"},
		{"5,10 0 9 * * *", "At seconds 5 and 10, minute 0, hour 9", "En los segundos 5 y 10, el minuto 0, la hora 9"},
		{"*/7 0 9 * * 1", "At seconds 0, 7, 14, 21, 28, 35, 42, 49 and 56, minute 0, hour 9, on Mondays", "En los segundos 0, 7, 14, 21, 28, 35, 42, 49 y 56, el minuto 0, la hora 9, los lunes"},
	} {
		s := mustCompile(t, Spec{Cron: c.cron})
		if got := s.Describe("en"); got != c.en {
			t.Errorf("%q in English:\n got %s\nwant %s", c.cron, got, c.en)
		}
		if got := s.Describe("es-PY"); got != c.es {
			t.Errorf("%q in Spanish:\n got %s\nwant %s", c.cron, got, c.es)
		}
	}
	for _, c := range []struct {
		spec   Spec
		en, es string
	}{
		{Spec{Every: time.Second}, "Every second", "Cada segundo"},
		{Spec{Every: 1500 * time.Millisecond}, "Every 1.5 seconds", "Cada 1,5 segundos"},
		{Spec{Every: 90 * time.Second}, "Every 90 seconds", "Cada 90 segundos"},
		{Spec{Every: time.Minute}, "Every minute", "Cada minuto"},
		{Spec{Every: 15 * time.Minute}, "Every 15 minutes", "Cada 15 minutos"},
		{Spec{Every: time.Hour}, "Every hour", "Cada hora"},
		{Spec{Every: 90 * time.Minute}, "Every 1 hour and 30 minutes", "Cada 1 hora y 30 minutos"},
		{Spec{Every: 24 * time.Hour}, "Every 24 hours", "Cada 24 horas"},
		{Spec{Every: 36 * time.Hour}, "Every 36 hours", "Cada 36 horas"},
		{Spec{Every: 7 * 24 * time.Hour}, "Every 7 days", "Cada 7 días"},
		{
			Spec{At: at(t, "2026-01-02T12:00:00Z"), Timezone: "America/Asuncion"},
			"Once, on 2 January 2026 at 09:00", "Una vez, el 2 de enero de 2026 a las 09:00",
		},
	} {
		s := mustCompile(t, c.spec)
		if got := s.Describe(""); got != c.en {
			t.Errorf("%+v in English: %s, want %s", c.spec, got, c.en)
		}
		if got := s.Describe("es"); got != c.es {
			t.Errorf("%+v in Spanish: %s, want %s", c.spec, got, c.es)
		}
	}
}
