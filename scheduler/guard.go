package scheduler

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const (
	guardEvery = 5 * time.Second
	guardBatch = 500
)

// guard stops triggers whose runs keep failing, soon after the last of them failed. The ticker would do so as well, but
// only when the next fire is due, which may be in a year.
type guard struct {
	db  *postgres.DB
	log *slog.Logger
	at  uuid.UUID // the last trigger that was looked at
}

func (g *guard) step(ctx context.Context) (time.Duration, error) {
	triggers := postgres.Triggers{Q: g.db}
	watched, err := triggers.WatchedAfter(ctx, g.at, guardBatch)
	if err != nil {
		return 0, err
	}
	g.at = uuid.UUID{}
	if len(watched) == guardBatch {
		g.at = watched[guardBatch-1]
	}
	failing, err := triggers.Failing(ctx, watched)
	if err != nil || len(failing) == 0 {
		return guardEvery, err
	}
	return guardEvery, g.db.InTx(ctx, func(q postgres.Querier) error { return g.stop(ctx, q, failing) })
}

// stop stops triggers that are still failing once they are locked: the ticker, or somebody who saves, may have been first.
func (g *guard) stop(ctx context.Context, q postgres.Querier, suspects map[uuid.UUID]bool) error {
	triggers := postgres.Triggers{Q: q}
	ids := make([]uuid.UUID, 0, len(suspects))
	for id := range suspects {
		ids = append(ids, id)
	}
	rows, err := triggers.LockSome(ctx, ids)
	if err != nil {
		return err
	}
	failing, err := triggers.Failing(ctx, ids)
	if err != nil {
		return err
	}
	now, err := postgres.Now(ctx, q)
	if err != nil {
		return err
	}
	steps := map[uuid.UUID]postgres.Step{}
	var pauses []postgres.Pause
	for _, r := range rows {
		if !r.Enabled || !failing[r.ID] {
			continue
		}
		pause := postgres.Pause{TriggerID: r.ID, OffAt: now, Code: postgres.PauseFailures, Detail: strconv.Itoa(r.Spec.PauseAfterFailures)}
		steps[r.ID] = postgres.Step{Next: r.NextFireAt, Due: r.DueAt, Paused: pause.Reason()}
		pauses = append(pauses, pause)
		g.log.WarnContext(ctx, "trigger stopped", "trigger", r.ID, "workflow_id", r.WorkflowID, "reason", pause.Reason())
	}
	if err := triggers.Advance(ctx, steps); err != nil {
		return err
	}
	return postgres.Pauses{Q: q}.Begin(ctx, pauses)
}
