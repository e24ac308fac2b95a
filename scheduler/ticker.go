package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// makeWay is why a run is cancelled whose trigger wants that.
const makeWay = "a newer run of its trigger was due"

// longestSleep bounds how long a change of plan can go unnoticed when its notification is lost.
const longestSleep = time.Second

// ticker turns due triggers into runs. It claims them under a row lock and, in the same transaction, writes the ledger,
// the runs and the next fires: an occurrence becomes exactly one run, however many tickers there are.
type ticker struct {
	db      *postgres.DB
	service *dispatch.Service
	log     *slog.Logger
	batch   int
	metrics *metrics
	wake    chan struct{}
}

// tick is what one transaction did.
type tick struct {
	triggers int
	runs     []postgres.NewRun
	tickets  []run.Ticket // of the runs that were released at once
	cancel   []uuid.UUID  // runs that make way for newer ones
	now      time.Time
}

// step ticks once and answers how long nothing will be due.
func (t *ticker) step(ctx context.Context) (time.Duration, error) {
	done, err := t.tick(ctx)
	if err != nil {
		return 0, err
	}
	if len(done.cancel) > 0 {
		if err := t.service.CancelRuns(ctx, done.cancel, makeWay); err != nil {
			return 0, err
		}
	}
	t.service.Release(ctx, done.runs, done.tickets)
	for _, r := range done.runs {
		t.metrics.lateness.Observe(done.now.Sub(*r.FireAt).Seconds())
	}
	if done.triggers == t.batch {
		return 0, nil // there may be more
	}
	wait, ok, err := postgres.Triggers{Q: t.db}.NextFire(ctx)
	if err != nil {
		return 0, err
	}
	if !ok {
		return longestSleep, nil
	}
	return min(wait, longestSleep), nil
}

func (t *ticker) tick(ctx context.Context) (tick, error) {
	var done tick
	err := t.db.InTx(ctx, func(q postgres.Querier) (err error) {
		done = tick{}
		triggers := postgres.Triggers{Q: q}
		due, err := triggers.LockDue(ctx, t.batch)
		if err != nil || len(due) == 0 {
			return err
		}
		done.triggers = len(due)
		if done.now, err = postgres.Now(ctx, q); err != nil {
			return err
		}
		live, err := triggers.LiveOf(ctx, idsOf(due))
		if err != nil {
			return err
		}
		next := make(map[uuid.UUID]*time.Time, len(due))
		var plans []plan
		var rows []postgres.OccurrenceRow
		for _, trigger := range due {
			p, err := planFires(trigger, live[trigger.ID], done.now)
			if err != nil {
				// One trigger that cannot be read must not stop the others; it stays without a next fire, and is told.
				t.log.ErrorContext(ctx, "trigger cannot be planned", "trigger", trigger.ID, "workflow_id", trigger.WorkflowID, "error", err)
				next[trigger.ID] = nil
				continue
			}
			next[trigger.ID] = p.next
			plans = append(plans, p)
			rows = append(rows, p.ledger...)
		}
		fresh, err := postgres.Occurrences{Q: q}.Insert(ctx, rows)
		if err != nil {
			return err
		}
		for _, p := range plans {
			before := len(done.runs)
			for _, r := range p.runs {
				// An occurrence that stands in the ledger already has had its run.
				if fresh[postgres.FireKey{TriggerID: *r.TriggerID, FireAt: r.FireAt.UTC()}] {
					done.runs = append(done.runs, r)
				}
			}
			if len(done.runs) > before {
				done.cancel = append(done.cancel, p.cancel...)
			}
		}
		if done.tickets, err = t.service.Insert(ctx, q, done.runs); err != nil {
			return err
		}
		if _, err := (postgres.Live{Q: q}).AskCancel(ctx, done.cancel, makeWay); err != nil {
			return err
		}
		return triggers.Advance(ctx, next)
	})
	return done, err
}

func idsOf(triggers []postgres.TriggerRow) []uuid.UUID {
	ids := make([]uuid.UUID, len(triggers))
	for i, t := range triggers {
		ids[i] = t.ID
	}
	return ids
}

// newRun makes the run of one fire.
func newRun(t postgres.TriggerRow, fireAt time.Time) (postgres.NewRun, error) {
	id, err := dispatch.NewRunID()
	if err != nil {
		return postgres.NewRun{}, err
	}
	r := postgres.NewRun{
		ID: id, ProjectID: t.ProjectID, WorkflowID: t.WorkflowID, Version: t.Version, Trigger: run.Scheduled,
		TriggerID: &t.ID, FireAt: &fireAt,
	}
	if len(t.Spec.Inputs) > 0 {
		if r.Inputs, err = json.Marshal(t.Spec.Inputs); err != nil {
			return r, fmt.Errorf("encode inputs: %w", err)
		}
	}
	return r, nil
}
