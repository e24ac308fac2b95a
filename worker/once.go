package worker

import (
	"context"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/gate"
)

// hostAway says why a host gets no call now, and for how long.
type hostAway struct {
	why  string
	wait time.Duration
}

// once makes one attempt outside any run, with its turn at the host that it calls. away is not nil when that takes none now.
func (w *Worker) once(ctx context.Context, ready bookStep, call action.Call, limit time.Duration) (result action.Result, away *hostAway) {
	turn := &turn{gate: w.gate, clock: w.clock}
	call.Again = turn.again
	bound := bind(ctx, ready.runner, call)
	if turn.host = bound.Host; bound.Host != "" {
		under, err := w.outgoing.under(ctx, call.ProjectID)
		if err != nil {
			w.log.WarnContext(ctx, "rules for outgoing calls not read", "project", call.ProjectID, "error", err)
			return result, &hostAway{why: "the project's rules for outgoing calls could not be read; try again", wait: time.Second}
		}
		ctx = under
		entered, refused := w.gate.Enter(ctx, bound.Host)
		if refused != nil {
			return result, &hostAway{why: gate.Explain(bound.Host, *refused, w.clock.Now().Add(refused.Wait)), wait: refused.Wait}
		}
		turn.visit = entered
	}
	attempt := func(ctx context.Context) action.Result {
		return withoutSecrets(call.Secrets, guarded(func() action.Result { return bound.Run(ctx) }))
	}
	return w.attemptOnce(ctx, attempt, turn, limit), nil
}

// attemptOnce makes the attempt, but waits no longer than an action may take to stop.
func (w *Worker) attemptOnce(ctx context.Context, attempt func(context.Context) action.Result, turn *turn, limit time.Duration) action.Result {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan action.Result, 1)
	go func() {
		result := attempt(bounded)
		turn.leave(ctx, result.Failure, ctx.Err() != nil)
		done <- result
	}()
	select {
	case result := <-done:
		return result
	case <-bounded.Done():
	}
	select {
	case result := <-done:
		return result
	case <-w.clock.After(w.cfg.LetGo):
		return action.Result{Failure: &action.Failure{Class: run.FailureTimeout, Message: "the action did not stop when its time was up"}}
	}
}
