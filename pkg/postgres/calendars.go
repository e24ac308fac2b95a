package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Calendars is the store of the projects' calendars.
type Calendars struct{ Q Querier }

// CalendarRow is a calendar.
type CalendarRow struct {
	ID          uuid.UUID `db:"id"`
	ProjectID   uuid.UUID `db:"project_id"`
	Name        string    `db:"name"`
	Description string    `db:"description"`
	Dates       []string  `db:"dates"` // 2026-12-25, in order
	CreatedAt   time.Time `db:"created_at"`
	UpdatedAt   time.Time `db:"updated_at"`
}

const calendarColumns = `id, project_id, name, description, dates::text[] as dates, created_at, updated_at`

// errCalendarTaken is what a second calendar of the same name becomes.
var errCalendarTaken = fault.New(fault.Conflict, "calendar_exists", "The project has a calendar of that name already")

// Insert stores a new calendar.
func (s Calendars) Insert(ctx context.Context, c CalendarRow) (CalendarRow, error) {
	return s.one(ctx, "insert calendar", `
		insert into calendars (id, project_id, name, description, dates)
		values ($1, $2, $3, $4, (select coalesce(array_agg(d order by d), '{}') from unnest($5::text[]::date[]) d))
		returning `+calendarColumns, c.ID, c.ProjectID, c.Name, c.Description, c.Dates)
}

// Update stores what changed of a calendar.
func (s Calendars) Update(ctx context.Context, c CalendarRow) (CalendarRow, error) {
	return s.one(ctx, "update calendar", `
		update calendars
		   set name = $2, description = $3, updated_at = now(),
		       dates = (select coalesce(array_agg(d order by d), '{}') from unnest($4::text[]::date[]) d)
		 where id = $1
		returning `+calendarColumns, c.ID, c.Name, c.Description, c.Dates)
}

// Get finds a calendar in one of the projects; ErrNotFound when it is not there.
func (s Calendars) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (CalendarRow, error) {
	return s.one(ctx, "get calendar", `select `+calendarColumns+` from calendars where id = $1 and project_id = any($2)`, id, projects)
}

// Lock is Get for a transaction that changes the calendar: whoever saves a trigger that names it waits, and the other way
// round.
func (s Calendars) Lock(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (CalendarRow, error) {
	return s.one(ctx, "lock calendar", `select `+calendarColumns+` from calendars where id = $1 and project_id = any($2) for update`, id, projects)
}

func (s Calendars) one(ctx context.Context, what, sql string, args ...any) (CalendarRow, error) {
	rows, err := s.Q.Query(ctx, sql, args...)
	if err != nil {
		return CalendarRow{}, fmt.Errorf("%s: %w", what, err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[CalendarRow])
	if Constraint(err) == "calendars_project_id_name_key" {
		return CalendarRow{}, errCalendarTaken
	}
	if err != nil {
		return CalendarRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	return row, nil
}

// Delete removes a calendar.
func (s Calendars) Delete(ctx context.Context, id uuid.UUID) error {
	if _, err := s.Q.Exec(ctx, `delete from calendars where id = $1`, id); err != nil {
		return fmt.Errorf("delete calendar: %w", err)
	}
	return nil
}

// List lists the calendars of projects, newest first, older than before (nil: from the newest).
func (s Calendars) List(ctx context.Context, projects []uuid.UUID, before *uuid.UUID, limit int) ([]CalendarRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+calendarColumns+` from calendars
		 where project_id = any(@projects) and (@before::uuid is null or id < @before) order by id desc limit @limit`,
		args{"projects": projects, "before": before, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list calendars: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[CalendarRow])
	if err != nil {
		return nil, fmt.Errorf("list calendars: %w", err)
	}
	return list, nil
}

// Users names up to limit workflows with a trigger that names the calendar.
func (s Calendars) Users(ctx context.Context, project uuid.UUID, name string, limit int) ([]string, error) {
	rows, err := s.Q.Query(ctx, `
		select distinct w.name from triggers t join workflows w on w.id = t.workflow_id
		 where t.project_id = $1 and t.spec ->> 'calendar' = $2 and t.removed_at is null order by 1 limit $3`, project, name, limit)
	if err != nil {
		return nil, fmt.Errorf("list a calendar's workflows: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list a calendar's workflows: %w", err)
	}
	return names, nil
}

// CalendarKey names a calendar as triggers do.
type CalendarKey struct {
	ProjectID uuid.UUID
	Name      string
}

// Dates answers the dates of the calendars that are there.
func (s Calendars) Dates(ctx context.Context, keys []CalendarKey) (map[CalendarKey][]string, error) {
	return s.dates(ctx, keys, "")
}

// HoldDates is Dates for a transaction that saves a trigger which names the calendars: they stay until it ends.
func (s Calendars) HoldDates(ctx context.Context, keys []CalendarKey) (map[CalendarKey][]string, error) {
	return s.dates(ctx, keys, " for share of c")
}

func (s Calendars) dates(ctx context.Context, keys []CalendarKey, lock string) (map[CalendarKey][]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	projects, names := make([]uuid.UUID, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		projects[i], names[i] = k.ProjectID, k.Name
	}
	rows, err := s.Q.Query(ctx, `
		select c.project_id, c.name, c.dates::text[] from unnest($1::uuid[], $2::text[]) u (project_id, name)
		  join calendars c on c.project_id = u.project_id and c.name = u.name`+lock, projects, names)
	if err != nil {
		return nil, fmt.Errorf("read calendars: %w", err)
	}
	dates := make(map[CalendarKey][]string, len(keys))
	var key CalendarKey
	var list []string
	_, err = pgx.ForEachRow(rows, []any{&key.ProjectID, &key.Name, &list}, func() error {
		dates[key] = list
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read calendars: %w", err)
	}
	return dates, nil
}
