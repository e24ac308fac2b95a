package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Census counts what has not finished.
type Census struct {
	Runs      map[run.Status]int
	OldestDue time.Duration // how long the oldest due run has waited for a worker
	Overdue   int           // triggers whose next fire is more than ten seconds past
}

// Census counts the live runs and the overdue triggers.
func (s Live) Census(ctx context.Context) (Census, error) {
	c := Census{Runs: map[run.Status]int{run.Queued: 0, run.Running: 0, run.Waiting: 0, run.Held: 0}}
	rows, err := s.Q.Query(ctx, `
		select state, count(*),
		       coalesce(extract(epoch from now() - min(due_at)
		           filter (where state in ('queued', 'waiting') and gate is null and due_at <= now())), 0)::float8
		  from run_live group by 1`)
	if err != nil {
		return c, fmt.Errorf("count live runs: %w", err)
	}
	var status run.Status
	var n int
	var oldest float64
	_, err = pgx.ForEachRow(rows, []any{&status, &n, &oldest}, func() error {
		c.Runs[status] = n
		c.OldestDue = max(c.OldestDue, time.Duration(oldest*float64(time.Second)))
		return nil
	})
	if err != nil {
		return c, fmt.Errorf("count live runs: %w", err)
	}
	err = s.Q.QueryRow(ctx, `select count(*) from triggers where enabled and due_at < now() - interval '10 seconds'`).Scan(&c.Overdue)
	if err != nil {
		return c, fmt.Errorf("count overdue triggers: %w", err)
	}
	return c, nil
}
