package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// ZoneData is the store of which zone data the plans were computed with.
type ZoneData struct{ Q Querier }

// ZoneDataRow is that, and how far the plans were brought to other zone data.
type ZoneDataRow struct {
	Version string    `db:"version"`
	GoingTo *string   `db:"going_to"` // nil: nobody is at it
	DoneTo  uuid.UUID `db:"done_to"`  // the last trigger that was looked at
}

// Lock reads the row for a transaction that changes it; ok is false while another one has it.
func (s ZoneData) Lock(ctx context.Context) (row ZoneDataRow, ok bool, err error) {
	var done *uuid.UUID
	err = s.Q.QueryRow(ctx, `select version, going_to, done_to from zone_data for update skip locked`).Scan(&row.Version, &row.GoingTo, &done)
	if err != nil {
		if translate(err) == ErrNotFound { //nolint:errorlint // translate answers the very value
			return row, false, nil
		}
		return row, false, fmt.Errorf("read the zone data's version: %w", err)
	}
	if done != nil {
		row.DoneTo = *done
	}
	return row, true, nil
}

// Save stores the row.
func (s ZoneData) Save(ctx context.Context, row ZoneDataRow) error {
	_, err := s.Q.Exec(ctx, `update zone_data set version = $1, going_to = $2, done_to = $3`, row.Version, row.GoingTo, row.DoneTo)
	if err != nil {
		return fmt.Errorf("store the zone data's version: %w", err)
	}
	return nil
}
