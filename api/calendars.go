package api

import (
	"context"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// ListCalendars implements the contract.
func (s *server) ListCalendars(ctx context.Context, req oas.ListCalendarsRequestObject) (oas.ListCalendarsResponseObject, error) {
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	where, err := projects(ctx, account.WorkflowRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	rows, err := postgres.Calendars{Q: s.db}.List(ctx, where, before, limit+1)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.CalendarRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListCalendars200JSONResponse{Items: make([]oas.Calendar, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = calendarOf(r)
	}
	return page, nil
}

// CreateCalendar implements the contract.
func (s *server) CreateCalendar(ctx context.Context, req oas.CreateCalendarRequestObject) (oas.CreateCalendarResponseObject, error) {
	project, err := projectOr(httpx.Principal(ctx), req.Body.ProjectId)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.CreateCalendar(ctx, httpx.Principal(ctx), project, calendarIn(*req.Body))
	if err != nil {
		return nil, err
	}
	location := httpx.Prefix + "/calendars/" + row.ID.String()
	return oas.CreateCalendar201JSONResponse{Body: calendarOf(row), Headers: oas.CreateCalendar201ResponseHeaders{Location: &location}}, nil
}

// GetCalendar implements the contract.
func (s *server) GetCalendar(ctx context.Context, req oas.GetCalendarRequestObject) (oas.GetCalendarResponseObject, error) {
	row, err := postgres.Calendars{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.WorkflowRead), req.Id)
	return oas.GetCalendar200JSONResponse(calendarOf(row)), err
}

// ReplaceCalendar implements the contract.
func (s *server) ReplaceCalendar(ctx context.Context, req oas.ReplaceCalendarRequestObject) (oas.ReplaceCalendarResponseObject, error) {
	row, err := s.dispatch.ReplaceCalendar(ctx, httpx.Principal(ctx), req.Id, calendarIn(*req.Body))
	return oas.ReplaceCalendar200JSONResponse(calendarOf(row)), err
}

// DeleteCalendar implements the contract.
func (s *server) DeleteCalendar(ctx context.Context, req oas.DeleteCalendarRequestObject) (oas.DeleteCalendarResponseObject, error) {
	if err := s.dispatch.DeleteCalendar(ctx, httpx.Principal(ctx), req.Id); err != nil {
		return nil, err
	}
	return oas.DeleteCalendar204Response{}, nil
}

func calendarIn(b oas.CalendarInput) workflow.Calendar {
	c := workflow.Calendar{Name: b.Name, Dates: b.Dates}
	if b.Description != nil {
		c.Description = *b.Description
	}
	return c
}

func calendarOf(r postgres.CalendarRow) oas.Calendar {
	dates := r.Dates
	if dates == nil {
		dates = []string{}
	}
	return oas.Calendar{
		Id: r.ID, ProjectId: r.ProjectID, Name: r.Name, Description: r.Description, Dates: dates,
		CreatedAt: wire.At(r.CreatedAt), UpdatedAt: wire.At(r.UpdatedAt),
	}
}
