package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Addresses is the store of the public addresses of triggers. Who knows an address may use it.
type Addresses struct{ Q Querier }

// Addressed is what stands behind an address.
type Addressed struct {
	Token        string           `db:"token"`
	TriggerID    uuid.UUID        `db:"trigger_id"`
	WorkflowID   uuid.UUID        `db:"workflow_id"`
	WorkflowName string           `db:"workflow_name"`
	ProjectID    uuid.UUID        `db:"project_id"`
	Version      int              `db:"version"` // of the workflow; with Enabled it changes whenever the trigger does
	Spec         workflow.Trigger `db:"spec"`
	Enabled      bool             `db:"enabled"`
	PausedReason *string          `db:"paused_reason"`
	RemovedAt    *time.Time       `db:"removed_at"`
}

// Find finds what stands behind addresses; those that are nobody's, or have expired, are missing from the answer.
func (s Addresses) Find(ctx context.Context, tokens []string) (map[string]Addressed, error) {
	rows, err := s.Q.Query(ctx, `
		select a.token, t.id as trigger_id, t.workflow_id, w.name as workflow_name, t.project_id, t.version, t.spec, t.enabled,
		       t.paused_reason, t.removed_at
		  from trigger_addresses a join triggers t on t.id = a.trigger_id join workflows w on w.id = t.workflow_id
		 where a.token = any($1) and (a.expires_at is null or a.expires_at > now())`, tokens)
	if err != nil {
		return nil, fmt.Errorf("find addresses: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Addressed])
	if err != nil {
		return nil, fmt.Errorf("find addresses: %w", err)
	}
	found := make(map[string]Addressed, len(list))
	for _, a := range list {
		found[a.Token] = a
	}
	return found, nil
}

// Of answers the current address of each trigger that has one.
func (s Addresses) Of(ctx context.Context, triggers []uuid.UUID) (map[uuid.UUID]string, error) {
	rows, err := s.Q.Query(ctx, `select trigger_id, token from trigger_addresses where trigger_id = any($1) and expires_at is null`, triggers)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	tokens := make(map[uuid.UUID]string, len(triggers))
	var trigger uuid.UUID
	var token string
	if _, err := pgx.ForEachRow(rows, []any{&trigger, &token}, func() error { tokens[trigger] = token; return nil }); err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	return tokens, nil
}

// Give gives a trigger an address, unless it has one.
func (s Addresses) Give(ctx context.Context, trigger uuid.UUID, token string) error {
	_, err := s.Q.Exec(ctx, `
		insert into trigger_addresses (token, trigger_id) select $2, $1
		 where not exists (select from trigger_addresses where trigger_id = $1 and expires_at is null)`, trigger, token)
	if err != nil {
		return fmt.Errorf("give an address: %w", translate(err))
	}
	return nil
}

// Rotate gives a trigger another address. The one that it had works for keep longer; those before it do not any more.
func (s Addresses) Rotate(ctx context.Context, trigger uuid.UUID, token string, keep time.Duration) error {
	_, err := s.Q.Exec(ctx, `delete from trigger_addresses where trigger_id = $1 and (expires_at is not null or $2::float8 = 0)`, trigger, keep.Seconds())
	if err != nil {
		return fmt.Errorf("drop old addresses: %w", err)
	}
	_, err = s.Q.Exec(ctx, `update trigger_addresses set expires_at = now() + make_interval(secs => $2) where trigger_id = $1`, trigger, keep.Seconds())
	if err != nil {
		return fmt.Errorf("let an address expire: %w", err)
	}
	return s.Give(ctx, trigger, token)
}

// DropExpired forgets addresses that have expired.
func (s Addresses) DropExpired(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from trigger_addresses where expires_at < now()`)
	if err != nil {
		return 0, fmt.Errorf("drop expired addresses: %w", err)
	}
	return tag.RowsAffected(), nil
}
