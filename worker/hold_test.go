package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// A run that was taken away may come back to the same worker before the older drive has noticed. Its end must not take
// the beats from the newer one.
func TestARunMayComeBackToItsWorker(t *testing.T) {
	w := &Worker{held: map[uuid.UUID]*hold{}}
	id := uuid.New()
	older, endOlder := context.WithCancelCause(t.Context())
	newer, endNewer := context.WithCancelCause(t.Context())
	first, second := &hold{cancel: endOlder}, &hold{cancel: endNewer}
	w.keep(id, first)
	w.keep(id, second)
	if !errors.Is(context.Cause(older), errLost) {
		t.Errorf("the older drive goes on: %v", context.Cause(older))
	}
	w.forget(id, first)
	if !w.holds(id, second) || newer.Err() != nil {
		t.Error("the newer drive has lost its hold")
	}
	w.forget(id, second)
	if w.holds(id, second) {
		t.Error("the hold stays after its end")
	}
}

// A claim that comes back when the worker is leaving already is given back like the others.
func TestALateClaimIsGivenBack(t *testing.T) {
	w := &Worker{held: map[uuid.UUID]*hold{}}
	w.giveBack()
	ctx, cancel := context.WithCancelCause(t.Context())
	w.keep(uuid.New(), &hold{cancel: cancel})
	if !errors.Is(context.Cause(ctx), errShutdown) {
		t.Errorf("it goes on: %v", context.Cause(ctx))
	}
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	for _, cfg := range []Config{{}, {Concurrency: -1, Beat: time.Second}, {Concurrency: 1}} {
		if _, err := New(cfg, nil, nil, nil, nil, slog.Default(), nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
