package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Nudge says that something happened that the runs may wait for. Those that wait or are held are due at once; those that a
// worker has, or is about to take, are as soon as it lets go of them: what happened may not be committed yet when it looks.
func (s Live) Nudge(ctx context.Context, ids []uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		with told as materialized (
		    select id, state from run_live where id = any($1) and state in ('queued', 'running', 'waiting', 'held') order by id for update)
		update run_live l
		   set nudged = told.state in ('running', 'queued'), state = case when told.state = 'running' then 'running' else 'queued' end,
		       due_at = case when told.state in ('running', 'queued') then l.due_at else now() end,
		       enqueued_at = case when told.state in ('running', 'queued') then l.enqueued_at end,
		       enqueues = case when told.state in ('running', 'queued') then l.enqueues else 0 end,
		       held_for = l.held_for + coalesce(extract(epoch from now() - l.held_at), 0), held_at = null
		  from told where l.id = told.id`, ids)
	if err != nil {
		return fmt.Errorf("nudge runs: %w", err)
	}
	return Notify(ctx, s.Q, DueChannel)
}
