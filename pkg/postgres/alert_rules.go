package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
)

// AlertRules is the store of what people want to hear of.
type AlertRules struct{ Q Querier }

// RuleRow is a rule.
type RuleRow struct {
	ID        uuid.UUID  `db:"id"`
	ProjectID uuid.UUID  `db:"project_id"`
	Spec      alert.Rule `db:"spec"`
	CreatedAt time.Time  `db:"created_at"`
	UpdatedAt time.Time  `db:"updated_at"`
}

const ruleColumns = `id, project_id, spec, created_at, updated_at`

// Others locks a project, and answers how many rules it has besides one.
func (s AlertRules) Others(ctx context.Context, project, id uuid.UUID) (int, error) {
	return lockAndCount(ctx, s.Q, "alert_rules", project, id)
}

// Put stores a rule, in the place of the one of that id.
func (s AlertRules) Put(ctx context.Context, r RuleRow) (RuleRow, error) {
	return s.one(ctx, "store a rule", `
		insert into alert_rules (id, project_id, name, enabled, kinds, workflows, channels, repeat, spec)
		values (@id, @project, @name, @enabled, @kinds, @workflows, @channels, make_interval(secs => @repeat), @spec)
		on conflict (id) do update
		   set name = @name, enabled = @enabled, kinds = @kinds, workflows = @workflows, channels = @channels,
		       repeat = excluded.repeat, spec = @spec, updated_at = now()
		returning `+ruleColumns,
		args{
			"id": r.ID, "project": r.ProjectID, "name": r.Spec.Name, "enabled": r.Spec.Enabled, "kinds": kindTexts(r.Spec.On), "workflows": notNil(r.Spec.Workflows),
			"channels": r.Spec.Channels, "repeat": time.Duration(r.Spec.Repeat).Seconds(), "spec": r.Spec,
		})
}

func kindTexts(kinds []alert.Kind) []string {
	texts := make([]string, len(kinds))
	for i, k := range kinds {
		texts[i] = string(k)
	}
	return texts
}

// Forget ends, without a word, what is the matter by a rule that is not about it any more: kinds are those that it is about.
func (s AlertRules) Forget(ctx context.Context, rule uuid.UUID, spec alert.Rule) error {
	kinds := kindTexts(spec.On)
	if !spec.Enabled {
		kinds = []string{}
	}
	_, err := s.Q.Exec(ctx, `
		delete from alert_incidents where rule_id = $1 and (kind <> all($2) or cardinality($3::uuid[]) > 0 and workflow_id <> all($3))`,
		rule, kinds, notNil(spec.Workflows))
	if err == nil {
		_, err = s.Q.Exec(ctx, `delete from alert_seen where rule_id = $1 and kind <> all($2)`, rule, kinds)
	}
	if err != nil {
		return fmt.Errorf("forget what a rule is not about: %w", err)
	}
	return nil
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Get finds a rule in one of the projects; ErrNotFound when it is not there.
func (s AlertRules) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (RuleRow, error) {
	return s.one(ctx, "get a rule", `select `+ruleColumns+` from alert_rules where id = $1 and project_id = any($2)`, id, projects)
}

// Lock is Get, and keeps the rule as it is until the transaction ends.
func (s AlertRules) Lock(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (RuleRow, error) {
	return s.one(ctx, "lock a rule", `select `+ruleColumns+` from alert_rules where id = $1 and project_id = any($2) for update`, id, projects)
}

func (s AlertRules) one(ctx context.Context, what, sql string, values ...any) (RuleRow, error) {
	rows, err := s.Q.Query(ctx, sql, values...)
	if err != nil {
		return RuleRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[RuleRow])
	if err != nil {
		return RuleRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	return row, nil
}

// RuleFilter narrows a list of rules; zero values do not.
type RuleFilter struct {
	Projects []uuid.UUID
	Workflow *uuid.UUID // rules that are about it
	Channel  *uuid.UUID // rules that name it
	Before   *uuid.UUID // keyset: only older ones
	Limit    int
}

// List lists rules, newest first.
func (s AlertRules) List(ctx context.Context, f RuleFilter) ([]RuleRow, error) {
	return s.list(ctx, "list rules", `
		select `+ruleColumns+` from alert_rules
		 where project_id = any(@projects) and (@before::uuid is null or id < @before)
		   and (@workflow::uuid is null or (cardinality(workflows) = 0 or @workflow = any(workflows))
		        and project_id = (select project_id from workflows where id = @workflow))
		   and (@channel::uuid is null or @channel = any(channels))
		 order by id desc limit @limit`,
		args{"projects": f.Projects, "workflow": f.Workflow, "channel": f.Channel, "before": f.Before, "limit": f.Limit})
}

// On lists the rules that are switched on and about one of the kinds.
func (s AlertRules) On(ctx context.Context, kinds ...alert.Kind) ([]RuleRow, error) {
	return s.list(ctx, "list rules that are on", `select `+ruleColumns+` from alert_rules where enabled and kinds && $1::text[] order by id`, kindTexts(kinds))
}

func (s AlertRules) list(ctx context.Context, what, sql string, values ...any) ([]RuleRow, error) {
	rows, err := s.Q.Query(ctx, sql, values...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[RuleRow])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// Delete removes a rule; the messages that it made stay.
func (s AlertRules) Delete(ctx context.Context, id uuid.UUID) error {
	if _, err := s.Q.Exec(ctx, `delete from alert_rules where id = $1`, id); err != nil {
		return fmt.Errorf("delete a rule: %w", err)
	}
	return nil
}

// MuteRow is a workflow of which nobody wants to hear for a time.
type MuteRow struct {
	WorkflowID uuid.UUID `db:"workflow_id"`
	Until      time.Time `db:"until"`
	By         string    `db:"muted_by"`
}

// Mute says that nobody wants to hear of a workflow for a time from now on.
func (s AlertRules) Mute(ctx context.Context, workflow uuid.UUID, d time.Duration, by string) (MuteRow, error) {
	return s.mute(ctx, "mute a workflow", `
		insert into alert_mutes (workflow_id, until, muted_by) values ($1, now() + make_interval(secs => $2), $3)
		on conflict (workflow_id) do update set until = excluded.until, muted_by = excluded.muted_by, created_at = now()
		returning workflow_id, until, muted_by`, workflow, d.Seconds(), by)
}

// Muted answers until when a workflow is muted; nil when it is not.
func (s AlertRules) Muted(ctx context.Context, workflow uuid.UUID) (*MuteRow, error) {
	row, err := s.mute(ctx, "find a muted workflow", `select workflow_id, until, muted_by from alert_mutes where workflow_id = $1 and until > now()`, workflow)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return &row, err
}

func (s AlertRules) mute(ctx context.Context, what, sql string, values ...any) (MuteRow, error) {
	rows, err := s.Q.Query(ctx, sql, values...)
	if err != nil {
		return MuteRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[MuteRow])
	if err != nil {
		return MuteRow{}, fmt.Errorf("%s: %w", what, translate(err))
	}
	return row, nil
}

// Unmute lets a workflow be heard of again.
func (s AlertRules) Unmute(ctx context.Context, workflow uuid.UUID) error {
	if _, err := s.Q.Exec(ctx, `delete from alert_mutes where workflow_id = $1`, workflow); err != nil {
		return fmt.Errorf("unmute a workflow: %w", err)
	}
	return nil
}
