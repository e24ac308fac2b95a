package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

const (
	zonesBatch = 500
	// zonesRetry is how long another scheduler is given that is at it.
	zonesRetry = time.Second
	// zonesRest is for the rest of the process's life: its zone data do not change.
	zonesRest = 24 * time.Hour
)

// zones computes the stored next fires again, once after a start, when this scheduler has other zone data than those that
// they were computed with. It does so in pieces, each a transaction, and goes on where another one stopped.
type zones struct {
	db      *postgres.DB
	log     *slog.Logger
	version string // of this process
	done    bool
	moved   int
}

func (z *zones) step(ctx context.Context) (time.Duration, error) {
	if z.done {
		return zonesRest, nil
	}
	wait := time.Duration(0)
	err := z.db.InTx(ctx, func(q postgres.Querier) error {
		store := postgres.ZoneData{Q: q}
		row, mine, err := store.Lock(ctx)
		if err != nil {
			return err
		}
		if !mine {
			wait = zonesRetry
			return nil
		}
		if row.Version == z.version && row.GoingTo == nil {
			z.done = true
			return nil
		}
		if row.GoingTo == nil || *row.GoingTo != z.version {
			row.GoingTo, row.DoneTo = &z.version, uuid.UUID{}
		}
		ids, err := postgres.Triggers{Q: q}.IDsAfter(ctx, row.DoneTo, zonesBatch)
		if err != nil {
			return err
		}
		moved, err := replan(ctx, q, ids, z.version)
		if err != nil {
			return err
		}
		z.moved += moved
		if len(ids) == zonesBatch {
			row.DoneTo = ids[zonesBatch-1]
		} else {
			row = postgres.ZoneDataRow{Version: z.version}
			z.log.InfoContext(ctx, "plans follow the zone data", "version", z.version, "moved", z.moved)
		}
		return store.Save(ctx, row)
	})
	return wait, err
}

// replan computes the next fires of triggers again. One that moves is recorded as superseded; one that is due already is
// left to the ticker.
func replan(ctx context.Context, q postgres.Querier, ids []uuid.UUID, version string) (moved int, err error) {
	triggers := postgres.Triggers{Q: q}
	rows, err := triggers.LockSome(ctx, ids)
	if err != nil {
		return 0, err
	}
	now, err := postgres.Now(ctx, q)
	if err != nil {
		return 0, err
	}
	steps := map[uuid.UUID]postgres.Step{}
	var ledger []postgres.OccurrenceRow
	code, reason := postgres.CodeZoneData, fmt.Sprintf("the rules of its time zone changed (%s)", version)
	for _, r := range rows {
		if r.Spec.Cron == "" || r.NextFireAt == nil || !r.NextFireAt.After(now) {
			continue
		}
		compiled, err := schedule.Compile(r.Spec.Spec(r.AnchorAt))
		if err != nil {
			continue // the ticker tells about it when the fire is due
		}
		from := now
		if r.DecidedAt != nil {
			from = *r.DecidedAt // what the new rules put between then and now was missed
		}
		next := compiled.Next(from)
		if next.Equal(*r.NextFireAt) {
			continue
		}
		step := postgres.Step{}
		if !next.IsZero() {
			due := compiled.Start(next, time.Duration(r.Spec.Jitter), r.ID.String())
			step.Next, step.Due = &next, &due
		}
		steps[r.ID] = step
		ledger = append(ledger, postgres.OccurrenceRow{
			TriggerID: r.ID, WorkflowID: r.WorkflowID, FireAt: *r.NextFireAt, Count: 1, Outcome: postgres.OutcomeSuperseded,
			Code: &code, Reason: &reason,
		})
	}
	if _, err := (postgres.Occurrences{Q: q}).Insert(ctx, ledger); err != nil {
		return 0, err
	}
	return len(steps), triggers.Advance(ctx, steps)
}
