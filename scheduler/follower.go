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
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

const (
	// followBatch is how many ended runs one transaction takes.
	followBatch = 200
	// mostOutputs is how much of the outputs of a run the next one gets, in bytes of JSON: inputs may be 256 KiB together.
	mostOutputs = workflow.MaxInputs / 2
)

// follower makes the runs of triggers that wait for the ends of other workflows' runs. Which ends there were was written with
// the ends themselves; it is taken in the transaction that makes the next runs, so that each has exactly one, whoever is
// killed when.
type follower struct {
	db      *postgres.DB
	service *dispatch.Service
	log     *slog.Logger
	wake    chan struct{}
}

// step follows what has ended, and answers how long nobody need look.
func (f *follower) step(ctx context.Context) (time.Duration, error) {
	var done tick
	taken := 0
	err := f.db.InTx(ctx, func(q postgres.Querier) (err error) {
		done = tick{}
		fires, err := postgres.AfterFires{Q: q}.Take(ctx, followBatch)
		if taken = len(fires); err != nil || taken == 0 {
			return err
		}
		done, err = f.follow(ctx, q, fires)
		return err
	})
	if err != nil {
		return 0, err
	}
	if len(done.cancel) > 0 {
		if err := f.service.CancelRuns(ctx, done.cancel, makeWay); err != nil {
			return 0, err
		}
	}
	f.service.Release(ctx, done.runs, done.tickets)
	if taken == followBatch {
		return 0, nil
	}
	return longestSleep, nil
}

// follow makes the runs that come after ended ones.
func (f *follower) follow(ctx context.Context, q postgres.Querier, fires []postgres.AfterFire) (done tick, err error) {
	byTrigger := map[uuid.UUID][]postgres.AfterFire{}
	var triggers, runs []uuid.UUID
	for _, fire := range fires {
		if byTrigger[fire.TriggerID] == nil {
			triggers = append(triggers, fire.TriggerID)
		}
		byTrigger[fire.TriggerID] = append(byTrigger[fire.TriggerID], fire)
		runs = append(runs, fire.RunID)
	}
	rows, err := postgres.Triggers{Q: q}.LockSome(ctx, triggers)
	if err != nil {
		return done, err
	}
	ended, err := postgres.Runs{Q: q}.Ended(ctx, runs, workflow.MaxChain, mostOutputs)
	if err != nil {
		return done, err
	}
	now, err := postgres.Now(ctx, q)
	if err != nil {
		return done, err
	}
	live, err := postgres.Triggers{Q: q}.LiveOf(ctx, triggers)
	if err != nil {
		return done, err
	}
	pauses, err := postgres.Pauses{Q: q}.Since(ctx, triggers, fires[0].EndedAt)
	if err != nil {
		return done, err
	}
	steps := make(map[uuid.UUID]postgres.Step, len(rows))
	var plans []plan
	list := make([]due, len(rows))
	for i, r := range rows {
		list[i] = due{TriggerRow: r, live: live[r.ID], pauses: pauses[r.ID]}
	}
	if err := allow(ctx, f.service, q, list); err != nil {
		return done, err
	}
	for _, d := range list {
		p, err := planEnds(d, byTrigger[d.ID], ended, now)
		if err != nil {
			return done, fmt.Errorf("follow for trigger %s: %w", d.ID, err)
		}
		plans = append(plans, p)
		steps[d.ID] = p.step
	}
	if err := done.write(ctx, q, plans, steps); err != nil {
		return done, err
	}
	if done.tickets, err = f.service.Insert(ctx, q, done.runs); err != nil {
		return done, err
	}
	return done, postgres.Triggers{Q: q}.Advance(ctx, steps)
}

// planEnds decides about the ends of runs that a trigger waited for.
func planEnds(d due, fires []postgres.AfterFire, ended map[uuid.UUID]postgres.Ended, now time.Time) (plan, error) {
	p := planner{due: d, now: now}
	at := time.Time{}
	for _, fire := range fires {
		// The ledger knows a fire by its instant, and several runs may have ended at the same.
		at = later(p.free(fire.EndedAt), at.Add(time.Microsecond))
		first, known := ended[fire.RunID]
		reason := fmt.Sprintf("run %s ended", fire.RunID)
		switch {
		case !known:
			p.skip(at, postgres.CodeMissed, reason+", and is not kept any more", nil)
		case d.RemovedAt != nil || !d.Enabled:
			pause := postgres.Pause{Code: postgres.PauseDisabled, OffAt: now}
			if n := len(d.pauses); n > 0 {
				pause = d.pauses[n-1] // the latest: it is off
			}
			p.skip(at, pause.Code, reason+", but it was "+pause.Reason(), nil)
		case first.Depth >= workflow.MaxChain:
			p.skip(at, postgres.CodeChain, fmt.Sprintf("%s, the last of %d that follow each other", reason, workflow.MaxChain), nil)
		default:
			e := event{inputs: map[string]any{"run": told(first)}, code: postgres.CodeAfter, reason: afterReason(first), cause: &first.ID}
			if _, err := p.begin(at, postgres.OutcomeRan, e); err != nil {
				return plan{}, err
			}
		}
	}
	return p.plan, nil
}

func afterReason(e postgres.Ended) string {
	how := map[run.Status]string{run.Succeeded: "succeeded", run.Failed: "failed", run.Cancelled: "was cancelled"}
	return fmt.Sprintf("run %s of %s %s", e.ID, e.WorkflowName, how[e.Status])
}

// told is what a run sees of the one before it.
func told(e postgres.Ended) map[string]any {
	return map[string]any{
		"id": e.ID, "workflow_id": e.WorkflowID, "workflow": e.WorkflowName, "status": e.Status, "reason": e.Reason,
		"outputs": json.RawMessage(e.Outputs), "outputs_cut": e.Cut, "started_at": stampOf(e.StartedAt), "finished_at": stampOf(e.FinishedAt),
	}
}
