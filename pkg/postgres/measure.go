package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Measure is what those who measure ask an installation that is theirs alone; never one that somebody works with.
type Measure struct{ Q Querier }

// Empty removes everything that people and their runs leave behind.
func (m Measure) Empty(ctx context.Context) error {
	_, err := m.Q.Exec(ctx, `
		truncate users, projects, workflows, workflow_versions, triggers, trigger_pauses, occurrences,
		         runs, run_live, step_runs, run_logs, unsuccessful_runs cascade`)
	if err != nil {
		return fmt.Errorf("empty the tables: %w", err)
	}
	return nil
}

// Ended tells whether n runs were made and none of all is unfinished. It counts only once nothing is live, so that
// asking again and again costs next to nothing.
func (m Measure) Ended(ctx context.Context, n int) (ended bool, err error) {
	err = m.Q.QueryRow(ctx, `
		select case when exists (select from run_live) then false else (select count(*) from runs) >= $1 end`, n).Scan(&ended)
	if err != nil {
		return false, fmt.Errorf("look for unfinished runs: %w", err)
	}
	return ended, nil
}

// NotSucceeded counts the runs that did not succeed.
func (m Measure) NotSucceeded(ctx context.Context) (n int, err error) {
	if err := m.Q.QueryRow(ctx, `select count(*) from runs where status <> 'succeeded'`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count runs that did not succeed: %w", err)
	}
	return n, nil
}

// Lateness lists how long after its instant each scheduled run was begun by a worker, by the database's clock.
func (m Measure) Lateness(ctx context.Context) ([]time.Duration, error) {
	rows, err := m.Q.Query(ctx, `select extract(epoch from started_at - fire_at)::float8 from runs where fire_at is not null and started_at is not null`)
	if err != nil {
		return nil, fmt.Errorf("list lateness: %w", err)
	}
	seconds, err := pgx.CollectRows(rows, pgx.RowTo[float64])
	if err != nil {
		return nil, fmt.Errorf("list lateness: %w", err)
	}
	late := make([]time.Duration, len(seconds))
	for i, s := range seconds {
		late[i] = time.Duration(s * float64(time.Second))
	}
	return late, nil
}

// ServerVersion is PostgreSQL's own, as in 15.4.
func (m Measure) ServerVersion(ctx context.Context) (version string, err error) {
	if err := m.Q.QueryRow(ctx, `show server_version`).Scan(&version); err != nil {
		return "", fmt.Errorf("ask for the version: %w", err)
	}
	return version, nil
}
