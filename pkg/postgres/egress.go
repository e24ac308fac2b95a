package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// EgressRow is what the calls of a project may reach.
type EgressRow struct {
	ID    uuid.UUID `db:"id"`
	Allow []string  `db:"egress_allow"` // beyond public addresses
	Only  []string  `db:"egress_only"`  // when not empty: at all
}

// EgressRules reads the rules of projects, those that were deleted too: what is left of their runs obeys them.
func (s Projects) EgressRules(ctx context.Context, projects []uuid.UUID) (map[uuid.UUID]EgressRow, error) {
	rows, err := s.Q.Query(ctx, `select id, egress_allow, egress_only from projects where id = any($1)`, projects)
	if err != nil {
		return nil, fmt.Errorf("read egress rules: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[EgressRow])
	if err != nil {
		return nil, fmt.Errorf("read egress rules: %w", err)
	}
	found := make(map[uuid.UUID]EgressRow, len(list))
	for _, r := range list {
		found[r.ID] = r
	}
	return found, nil
}

// AllowEgress sets what a project may call beyond public addresses.
func (s Projects) AllowEgress(ctx context.Context, id uuid.UUID, list []string) error {
	return s.change(ctx, "allow egress", `update projects set egress_allow = $2 where id = $1 and deleted_at is null`, id, list)
}

// RestrictEgress sets what a project may call at all; nothing in particular when the list is empty.
func (s Projects) RestrictEgress(ctx context.Context, id uuid.UUID, list []string) error {
	return s.change(ctx, "restrict egress", `update projects set egress_only = $2 where id = $1 and deleted_at is null`, id, list)
}
