package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// starters is how many runs are started at the same time when it is about their number.
const starters = 512

// Spread is how durations lie.
type Spread struct{ P50, P99, Max time.Duration }

// SpreadOf sorts durations and says how they lie; zero for none.
func SpreadOf(list []time.Duration) Spread {
	if len(list) == 0 {
		return Spread{}
	}
	slices.Sort(list)
	at := func(part float64) time.Duration { return list[min(int(part*float64(len(list))), len(list)-1)] }
	return Spread{P50: at(.5), P99: at(.99), Max: list[len(list)-1]}
}

// Create saves a workflow of one step in the user's own project.
func (r *Rig) Create(ctx context.Context, name string, step workflow.Step, triggers ...workflow.Trigger) (postgres.WorkflowRow, error) {
	home, _ := r.Who.Home()
	def := workflow.Definition{Name: name, Triggers: triggers, Steps: []workflow.Step{step}}
	return r.Service.Create(ctx, r.Who, home, def, true)
}

// LogStep is a step that writes a line into its run's log and calls nobody.
func LogStep() workflow.Step {
	return workflow.Step{ID: "note", Action: workflow.ActionLog, Config: json.RawMessage(`{"message":"done"}`)}
}

// Throughput makes n whole runs of one log step, from their start to their recorded end, every commit durable; it answers
// how many that are per second.
func (r *Rig) Throughput(ctx context.Context, n int) (perSecond float64, err error) {
	wf, err := r.Create(ctx, "throughput", LogStep())
	if err != nil {
		return 0, err
	}
	stop, err := r.Start(ctx)
	if err != nil {
		return 0, err
	}
	began := r.cfg.Clock.Now()
	err = Parallel(starters, n, func(int) error {
		_, err := r.Service.Start(ctx, r.Who, wf.ID, nil, "")
		return err
	})
	if err == nil {
		err = r.Await(ctx, n)
	}
	took := r.cfg.Clock.Now().Sub(began)
	if err := r.finish(ctx, stop, n, err); err != nil {
		return 0, err
	}
	return float64(n) / took.Seconds(), nil
}

// Parallel calls do n times, at most workers at once; it answers the first error.
func Parallel(workers, n int, do func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// roundGap lies between the rounds of Ticks.
const roundGap = 250 * time.Millisecond

// Ticks measures how late runs begin when n schedules are due at the same instant, in several rounds one after the other.
func (r *Rig) Ticks(ctx context.Context, n, rounds int) (Spread, error) {
	now, err := postgres.Now(ctx, r.DB) // which decides what is due, and may be another machine's
	if err != nil {
		return Spread{}, err
	}
	saving := time.Second + time.Duration(n)*3*time.Millisecond
	at := now.Add(saving).Truncate(time.Second).Add(time.Second)
	triggers := make([]workflow.Trigger, rounds)
	for k := range triggers {
		due := at.Add(time.Duration(k) * roundGap)
		triggers[k] = workflow.Trigger{ID: fmt.Sprintf("t%d", k), Type: workflow.TriggerSchedule, At: &due}
	}
	err = Parallel(conns, n, func(i int) error {
		_, err := r.Create(ctx, fmt.Sprint("tick ", i), LogStep(), triggers...)
		return err
	})
	if err != nil {
		return Spread{}, err
	}
	if now, err = postgres.Now(ctx, r.DB); err != nil {
		return Spread{}, err
	}
	if now.After(at) {
		return Spread{}, errors.New("the machine was too slow to save the schedules in time; measure fewer")
	}
	return r.Lateness(ctx, n*rounds)
}

// Lateness runs the roles until the n runs of schedules that are about to be due have ended, and measures how late they
// began: from the instant that was due to the claim by the worker, by the database's clock.
func (r *Rig) Lateness(ctx context.Context, n int) (Spread, error) {
	stop, err := r.Start(ctx)
	if err != nil {
		return Spread{}, err
	}
	if err := r.finish(ctx, stop, n, nil); err != nil {
		return Spread{}, err
	}
	late, err := postgres.Measure{Q: r.DB}.Lateness(ctx)
	return SpreadOf(late), err
}
