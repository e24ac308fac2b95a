package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// AlertChannels is the store of where alerts go.
type AlertChannels struct{ Q Querier }

// ChannelRow is a channel.
type ChannelRow struct {
	ID        uuid.UUID       `db:"id"`
	ProjectID uuid.UUID       `db:"project_id"`
	Name      string          `db:"name"`
	Action    string          `db:"action"`
	Config    json.RawMessage `db:"config"`
	Secrets   []string        `db:"secrets"` // that it names
	Vars      []string        `db:"vars"`
	CreatedAt time.Time       `db:"created_at"`
	UpdatedAt time.Time       `db:"updated_at"`
}

const channelColumns = `id, project_id, name, action, config, secrets, vars, created_at, updated_at`

// Others locks a project, and answers how many channels it has besides one.
func (s AlertChannels) Others(ctx context.Context, project, id uuid.UUID) (int, error) {
	return lockAndCount(ctx, s.Q, "alert_channels", project, id)
}

// lockAndCount locks a project, and answers how many rows of a table it has besides one.
func lockAndCount(ctx context.Context, q Querier, table string, project, id uuid.UUID) (others int, err error) {
	if _, err := q.Exec(ctx, `select 1 from projects where id = $1 for no key update`, project); err != nil {
		return 0, fmt.Errorf("lock the project: %w", err)
	}
	if err := q.QueryRow(ctx, `select count(*) from `+table+` where project_id = $1 and id <> $2`, project, id).Scan(&others); err != nil {
		return 0, fmt.Errorf("count %s: %w", table, err)
	}
	return others, nil
}

// Put stores a channel, in the place of the one of that id.
func (s AlertChannels) Put(ctx context.Context, r ChannelRow) (ChannelRow, error) {
	return s.one(ctx, "store a channel", `
		insert into alert_channels (id, project_id, name, action, config, secrets, vars)
		values (@id, @project, @name, @action, @config, coalesce(@secrets::text[], '{}'), coalesce(@vars::text[], '{}'))
		on conflict (id) do update set name = @name, action = @action, config = @config, secrets = excluded.secrets, vars = excluded.vars, updated_at = now()
		returning `+channelColumns,
		args{"id": r.ID, "project": r.ProjectID, "name": r.Name, "action": r.Action, "config": r.Config, "secrets": r.Secrets, "vars": r.Vars})
}

// Get finds a channel in one of the projects; ErrNotFound when it is not there.
func (s AlertChannels) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (ChannelRow, error) {
	return s.one(ctx, "get a channel", `select `+channelColumns+` from alert_channels where id = $1 and project_id = any($2)`, id, projects)
}

// Lock is Get, and keeps the channel as it is until the transaction ends.
func (s AlertChannels) Lock(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (ChannelRow, error) {
	return s.one(ctx, "lock a channel", `select `+channelColumns+` from alert_channels where id = $1 and project_id = any($2) for update`, id, projects)
}

func (s AlertChannels) one(ctx context.Context, what, sql string, values ...any) (ChannelRow, error) {
	rows, err := s.Q.Query(ctx, sql, values...)
	if err != nil {
		return ChannelRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ChannelRow])
	if err != nil {
		return ChannelRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	return row, nil
}

// List lists the channels of projects, newest first.
func (s AlertChannels) List(ctx context.Context, projects []uuid.UUID, before *uuid.UUID, limit int) ([]ChannelRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+channelColumns+` from alert_channels
		 where project_id = any($1) and ($2::uuid is null or id < $2) order by id desc limit $3`, projects, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list channels: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[ChannelRow])
	if err != nil {
		return nil, fmt.Errorf("list channels: %w", err)
	}
	return list, nil
}

// Delete removes a channel.
func (s AlertChannels) Delete(ctx context.Context, id uuid.UUID) error {
	if _, err := s.Q.Exec(ctx, `delete from alert_channels where id = $1`, id); err != nil {
		return fmt.Errorf("delete a channel: %w", err)
	}
	return nil
}

// Hold answers which of the channels a project has; those stay until the transaction ends.
func (s AlertChannels) Hold(ctx context.Context, project uuid.UUID, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	rows, err := s.Q.Query(ctx, `select id from alert_channels where project_id = $1 and id = any($2) order by id for key share`, project, ids)
	return collectIDs(rows, err, "hold channels")
}

// Naming lists the names of a project's channels whose templates name a value under a root.
func (s AlertChannels) Naming(ctx context.Context, project uuid.UUID, root, name string) ([]string, error) {
	rows, err := s.Q.Query(ctx, `
		select name from alert_channels
		 where project_id = $1 and case $2 when 'secrets' then $3 = any(secrets) else $3 = any(vars) end order by name`, project, root, name)
	if err != nil {
		return nil, fmt.Errorf("list channels that name a value: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list channels that name a value: %w", err)
	}
	return names, nil
}

// collectIDs reads a set of ids.
func collectIDs(rows pgx.Rows, err error, what string) (map[uuid.UUID]bool, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	found := map[uuid.UUID]bool{}
	var id uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { found[id] = true; return nil }); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return found, nil
}
