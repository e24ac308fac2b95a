package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Late is a run whose worker beats, and which should have got further or have ended by now.
type Late struct {
	run.Ticket            // Attempt is the worker's
	Worker     string     `db:"worker"`
	ProjectID  uuid.UUID  `db:"project_id"`
	WorkflowID uuid.UUID  `db:"workflow_id"`
	Version    int        `db:"version"`
	StartedAt  time.Time  `db:"started_at"`
	HeldFor    float64    `db:"held_for"` // seconds; they do not count as its time
	Cancel     *string    `db:"cancel"`
	CancelAt   *time.Time `db:"cancel_at"`
	Now        time.Time  `db:"now"`
}

// ListLate lists runs whose workers beat although their deadline, or the wish to cancel them, is older than overtime or
// patience. A worker that has not beaten since the deadline may have got further meanwhile.
func (s Live) ListLate(ctx context.Context, overtime, patience time.Duration, limit int) ([]Late, error) {
	rows, err := s.Q.Query(ctx, `
		select l.id, l.attempt, l.queue, l.worker, l.project_id, l.workflow_id, r.version, l.started_at, l.held_for, l.cancel,
		       l.cancel_at, now() as now
		  from run_live l join runs r on r.id = l.id
		 where l.queue in ('critical', 'default', 'bulk') and l.enqueued_at is not null and l.state = 'running'
		   and (l.cancel_at < now() - make_interval(secs => @patience)
		        or l.deadline_at < now() - make_interval(secs => @overtime) and l.beat_at > l.deadline_at)
		 limit @limit`,
		args{"overtime": overtime.Seconds(), "patience": patience.Seconds(), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("find late runs: %w", err)
	}
	late, err := pgx.CollectRows(rows, pgx.RowToStructByName[Late])
	if err != nil {
		return nil, fmt.Errorf("find late runs: %w", err)
	}
	return late, nil
}

// Evict takes a run from a worker that beats: what it says from now on is dropped. It answers false when the worker does
// not have the run any more.
func (s Live) Evict(ctx context.Context, worker string, t run.Ticket) (bool, error) {
	tag, err := s.Q.Exec(ctx, `
		update run_live
		   set state = 'queued', worker = null, beat_at = null, due_at = now(), enqueued_at = null, enqueues = 0
		 where id = @id and attempt = @attempt and worker = @worker and state = 'running'`,
		args{"id": t.ID, "attempt": t.Attempt, "worker": worker})
	if err != nil {
		return false, fmt.Errorf("take a run from its worker: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// CountCrash counts a worker that a run has lost, and answers how many it has lost since it got any further.
func (s Live) CountCrash(ctx context.Context, id uuid.UUID) (crashes int, err error) {
	err = s.Q.QueryRow(ctx, `
		update run_live l set `+countCrash+`
		  from (select $1::uuid as id) lost cross join lateral (select `+progressOf+` as progress) p where l.id = lost.id
		returning l.crashes`, id).Scan(&crashes)
	if err != nil {
		return 0, fmt.Errorf("count a crash: %w", translate(err))
	}
	return crashes, nil
}
