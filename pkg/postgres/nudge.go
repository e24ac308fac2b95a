package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Nudge says that something happened that the runs may wait for. Those that wait or are held are due at once; those that a
// worker has are, as soon as it lets go of them.
func (s Live) Nudge(ctx context.Context, ids []uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		with told as materialized (
		    select id, state from run_live where id = any($1) and state in ('running', 'waiting', 'held') order by id for update)
		update run_live l
		   set nudged = told.state = 'running', state = case told.state when 'running' then 'running' else 'queued' end,
		       due_at = case told.state when 'running' then l.due_at else now() end,
		       enqueued_at = case told.state when 'running' then l.enqueued_at end,
		       enqueues = case told.state when 'running' then l.enqueues else 0 end,
		       held_for = l.held_for + coalesce(extract(epoch from now() - l.held_at), 0), held_at = null
		  from told where l.id = told.id`, ids)
	if err != nil {
		return fmt.Errorf("nudge runs: %w", err)
	}
	return Notify(ctx, s.Q, DueChannel)
}
