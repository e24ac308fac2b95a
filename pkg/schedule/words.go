package schedule

import (
	"fmt"
	"strings"
	"time"
)

// words is what Describe needs of a language. Formats take their arguments in the order given here.
type words struct {
	and, or     string
	days        [7]string // Sunday first, as time.Weekday
	months      [12]string
	nth         [6]string // nth[0]: the last
	run         string    // a, b: "1 to 7"
	second      [2]string // every one; every n
	minute      [2]string
	hour        [2]string
	startMinute string // n: where an even series of minutes begins
	startSecond string
	atMinute    string // n
	atSecond    string // n
	span        string // "09:00", "17:59"
	inHours     string // list
	once        string // date, time
	date        string // day, month, year

	everyDay                   string
	weekdays, onWeekdays       string // Monday to Friday: as a beginning, as an end
	eachDay, onDays            string // list of weekdays: as a beginning, as an end
	dayRun, onDayRun           string // first, last weekday
	dayOne, dayMany            string // "1"; "1 and 15"
	last, lastOffset           string // -; n
	lastWork, nearWork         string // -; n
	nthDay                     string // nth, weekday
	ofEveryMonth, of, in       string // -; months; months
	onMonthDays                string // days and of which month
	yearly                     string // day, month
	andIf                      string // weekdays
	secondOne, secondMany      string // "30"; "5 and 10"
	minuteOne, minuteMany      string
	hourOne, hourMany          string
	everyMinute, everyHourText string
	fieldByField               string // list
	units                      [4][2]string
}

var english = words{
	and: "and", or: "or",
	days: [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	months: [12]string{
		"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December",
	},
	nth:         [6]string{"last", "first", "second", "third", "fourth", "fifth"},
	run:         "%s to %s",
	second:      [2]string{"every second", "every %d seconds"},
	minute:      [2]string{"every minute", "every %d minutes"},
	hour:        [2]string{"every hour", "every %d hours"},
	startMinute: " from minute %d on",
	startSecond: " from second %d on",
	atMinute:    " at minute %d",
	atSecond:    " at second %d",
	span:        " from %s to %s",
	inHours:     " during the hours %s",
	once:        "once, on %s at %s",
	date:        "%[1]d %[2]s %[3]d",
	everyDay:    "every day",
	weekdays:    "every weekday", onWeekdays: "on weekdays",
	eachDay: "every %s", onDays: "on %s",
	dayRun: "every day from %s to %s", onDayRun: "from %s to %s",
	dayOne: "day %s", dayMany: "days %s",
	last: "the last day", lastOffset: "the day %d before the last",
	lastWork: "the last workday", nearWork: "the workday nearest to day %d",
	nthDay:       "the %s %s",
	ofEveryMonth: " of every month", of: " of %s", in: " in %s",
	onMonthDays: "on %s",
	yearly:      "every year on %d %s",
	andIf:       ", if it is %s",
	secondOne:   "second %s", secondMany: "seconds %s",
	minuteOne: "minute %s", minuteMany: "minutes %s",
	hourOne: "hour %s", hourMany: "hours %s",
	everyMinute: "of every minute", everyHourText: "of every hour",
	fieldByField: "at %s",
	units:        [4][2]string{{"day", "days"}, {"hour", "hours"}, {"minute", "minutes"}, {"second", "seconds"}},
}

var spanish = words{
	and: "y", or: "o",
	days: [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
	months: [12]string{
		"enero", "febrero", "marzo", "abril", "mayo", "junio",
		"julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
	},
	nth:         [6]string{"último", "primer", "segundo", "tercer", "cuarto", "quinto"},
	run:         "%s a %s",
	second:      [2]string{"cada segundo", "cada %d segundos"},
	minute:      [2]string{"cada minuto", "cada %d minutos"},
	hour:        [2]string{"cada hora", "cada %d horas"},
	startMinute: " desde el minuto %d",
	startSecond: " desde el segundo %d",
	atMinute:    " en el minuto %d",
	atSecond:    " en el segundo %d",
	span:        " de %s a %s",
	inHours:     " durante las horas %s",
	once:        "una vez, el %s %s",
	date:        "%[1]d de %[2]s de %[3]d",
	everyDay:    "cada día",
	weekdays:    "cada día laborable", onWeekdays: "los días laborables",
	eachDay: "cada %s", onDays: "los %s",
	dayRun: "de %s a %s", onDayRun: "de %s a %s",
	dayOne: "el día %s", dayMany: "los días %s",
	last: "el último día", lastOffset: "el día que cae %d antes del último",
	lastWork: "el último día laborable", nearWork: "el día laborable más cercano al %d",
	nthDay:       "el %s %s",
	ofEveryMonth: " de cada mes", of: " de %s", in: " en %s",
	onMonthDays: "%s",
	yearly:      "cada año el %d de %s",
	andIf:       ", si es %s",
	secondOne:   "el segundo %s", secondMany: "los segundos %s",
	minuteOne: "el minuto %s", minuteMany: "los minutos %s",
	hourOne: "la hora %s", hourMany: "las horas %s",
	everyMinute: "de cada minuto", everyHourText: "de cada hora",
	fieldByField: "en %s",
	units:        [4][2]string{{"día", "días"}, {"hora", "horas"}, {"minuto", "minutos"}, {"segundo", "segundos"}},
}

// join writes a list as people do: "a, b and c".
func join(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + last + " " + list[len(list)-1]
}

// at writes times of the day with their preposition.
func (w *words) at(times []string) string {
	if w != &spanish {
		return "at " + join(times, w.and)
	}
	// One o'clock is singular: "a la 01:00 y a las 13:00".
	alone := false
	for _, t := range times {
		alone = alone || strings.HasPrefix(t, "01:")
	}
	if !alone {
		return "a las " + join(times, w.and)
	}
	list := make([]string, len(times))
	for i, t := range times {
		list[i] = "a las " + t
		if strings.HasPrefix(t, "01:") {
			list[i] = "a la " + t
		}
	}
	return join(list, w.and)
}

// plural is the form of a weekday after "on": on Mondays, los lunes, los sábados.
func (w *words) plural(day string) string {
	if strings.HasSuffix(day, "es") {
		return day // lunes, martes
	}
	return day + "s"
}

// duration writes an interval: "every 90 seconds", "every 1 hour and 30 minutes".
func (w *words) duration(d time.Duration) string {
	switch {
	case d%time.Minute != 0 && d < 2*time.Minute || d%time.Second != 0:
		if d == time.Second {
			return w.second[0]
		}
		seconds := fmt.Sprintf("%g", d.Seconds())
		if w == &spanish {
			seconds = strings.Replace(seconds, ".", ",", 1)
		}
		return strings.Replace(w.second[1], "%d", seconds, 1)
	case d == time.Minute:
		return w.minute[0]
	case d == time.Hour:
		return w.hour[0]
	case d == 24*time.Hour:
		return fmt.Sprintf(w.hour[1], 24) // not "every day", which is a time of the clock
	}
	var parts []string
	sizes := [4]time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}
	for i, size := range sizes {
		if i == 0 && d%size != 0 {
			continue // 36 hours, rather than 1 day and 12 hours
		}
		n := d / size
		d -= n * size
		switch {
		case n == 1:
			parts = append(parts, "1 "+w.units[i][0])
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, w.units[i][1]))
		}
	}
	every, _, _ := strings.Cut(w.second[0], " ")
	return every + " " + join(parts, w.and)
}
