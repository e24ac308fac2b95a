package dispatch

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// CreateCalendar stores a new calendar in a project. Errors: an invalid one, a name that is taken, a project that is not
// the caller's to write.
func (s *Service) CreateCalendar(ctx context.Context, who account.Principal, project uuid.UUID, c workflow.Calendar) (postgres.CalendarRow, error) {
	if err := c.Check(); err != nil {
		return postgres.CalendarRow{}, err
	}
	if err := who.May(account.WorkflowWrite, project); err != nil {
		return postgres.CalendarRow{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return postgres.CalendarRow{}, fmt.Errorf("make a calendar id: %w", err)
	}
	var row postgres.CalendarRow
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		row, err = postgres.Calendars{Q: q}.Insert(ctx, postgres.CalendarRow{
			ID: id, ProjectID: project, Name: c.Name, Description: c.Description, Dates: c.Dates,
		})
		if err != nil {
			return err
		}
		return noteCalendar(ctx, q, audit.CalendarCreate, nil, &row)
	})
	return row, err
}

// noteCalendar notes what became of a calendar; one of the rows may be nil.
func noteCalendar(ctx context.Context, q postgres.Querier, action audit.Action, before, after *postgres.CalendarRow) error {
	row := after
	if row == nil {
		row = before
	}
	c := audit.Change{Action: action, Project: row.ProjectID, Object: audit.Of(row.ID, row.Name)}
	if before != nil {
		c.Before = calendarData(*before)
	}
	if after != nil {
		c.After = calendarData(*after)
	}
	return postgres.Note(ctx, q, c)
}

func calendarData(row postgres.CalendarRow) audit.Data {
	return audit.Data{"name": row.Name, "description": row.Description, "dates": row.Dates}
}

// ReplaceCalendar changes a calendar; the triggers that name it follow from their next fire on. One that is named keeps
// its name.
func (s *Service) ReplaceCalendar(ctx context.Context, who account.Principal, id uuid.UUID, c workflow.Calendar) (postgres.CalendarRow, error) {
	if err := c.Check(); err != nil {
		return postgres.CalendarRow{}, err
	}
	var row postgres.CalendarRow
	err := s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		calendars := postgres.Calendars{Q: q}
		if row, err = calendars.Lock(ctx, who.Where(account.WorkflowWrite), id); err != nil {
			return err
		}
		if row.Name != c.Name {
			if err := unused(ctx, calendars, row, "renamed"); err != nil {
				return err
			}
		}
		before := row
		row.Name, row.Description, row.Dates = c.Name, c.Description, c.Dates
		if row, err = calendars.Update(ctx, row); err != nil {
			return err
		}
		return noteCalendar(ctx, q, audit.CalendarUpdate, &before, &row)
	})
	return row, err
}

// DeleteCalendar removes a calendar that no trigger names.
func (s *Service) DeleteCalendar(ctx context.Context, who account.Principal, id uuid.UUID) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		calendars := postgres.Calendars{Q: q}
		row, err := calendars.Lock(ctx, who.Where(account.WorkflowWrite), id)
		if err != nil {
			return err
		}
		if err := unused(ctx, calendars, row, "deleted"); err != nil {
			return err
		}
		if err := calendars.Delete(ctx, id); err != nil {
			return err
		}
		return noteCalendar(ctx, q, audit.CalendarDelete, &row, nil)
	})
}

// unused refuses to go on while triggers name a calendar.
func unused(ctx context.Context, calendars postgres.Calendars, row postgres.CalendarRow, done string) error {
	const shown = 5
	users, err := calendars.Users(ctx, row.ProjectID, row.Name, shown+1)
	if err != nil || len(users) == 0 {
		return err
	}
	names := strings.Join(users[:min(shown, len(users))], ", ")
	if len(users) > shown {
		names += " and others"
	}
	return fault.New(fault.Conflict, "calendar_in_use", "The calendar cannot be %s while triggers name it: %s", done, names)
}
