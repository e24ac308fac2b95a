package workflow

import (
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// MaxCalendarName is the length of a calendar's name, in characters.
const MaxCalendarName = 100

// Calendar is a named list of dates on which the triggers that name it do not run.
type Calendar struct {
	Name        string
	Description string
	Dates       []string // 2026-12-25, in the zone of each trigger
}

// Check returns a *fault.Error that points at /name and /dates/i.
func (c Calendar) Check() error {
	var all collector
	if strings.TrimSpace(c.Name) == "" {
		all.add("/name", "required", "a calendar needs a name")
	}
	if len([]rune(c.Name)) > MaxCalendarName {
		all.add("/name", "too_long", "a calendar's name has at most %d characters", MaxCalendarName)
	}
	if err := schedule.CheckDates(c.Dates, schedule.MaxCalendarDates); err != nil {
		all.addErr("/dates", err)
	}
	return fault.InvalidFields(all.fields)
}

// DaysOff are the dates on which the trigger's fires do not run, given those of the calendar that it names.
func (t Trigger) DaysOff(calendar []string) schedule.DaysOff {
	return schedule.NewDaysOff(t.ExcludedDates, t.Calendar, calendar)
}

// Excludes tells whether there may be dates on which the trigger does not run.
func (t Trigger) Excludes() bool { return len(t.ExcludedDates) > 0 || t.Calendar != "" }
