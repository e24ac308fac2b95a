package worker

import (
	"context"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/gate"
)

// turn is the place that an attempt has at the host it calls. One goroutine at a time uses it.
type turn struct {
	gate  *gate.Gate
	clock clock.Clock
	host  string
	visit *gate.Visit // nil while it has none
}

// again ends a call that went well, and waits for a place for the next one of the same attempt.
func (t *turn) again(ctx context.Context) error {
	t.leave(ctx, nil, false)
	for t.host != "" {
		visit, refused := t.gate.Enter(ctx, t.host)
		if refused == nil {
			t.visit = visit
			return nil
		}
		if err := t.clock.Sleep(ctx, refused.Wait); err != nil {
			return fmt.Errorf("wait for the host: %w", err)
		}
	}
	return nil
}

// leave gives the place back; f is how the call failed, as in gate.Visit.
func (t *turn) leave(ctx context.Context, f *action.Failure, interrupted bool) {
	if t.visit != nil {
		t.visit.Leave(context.WithoutCancel(ctx), f, interrupted)
		t.visit = nil
	}
}
