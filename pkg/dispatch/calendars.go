package dispatch

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
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
	return postgres.Calendars{Q: s.db}.Insert(ctx, postgres.CalendarRow{
		ID: id, ProjectID: project, Name: c.Name, Description: c.Description, Dates: c.Dates,
	})
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
		row.Name, row.Description, row.Dates = c.Name, c.Description, c.Dates
		row, err = calendars.Update(ctx, row)
		return err
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
		return calendars.Delete(ctx, id)
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
