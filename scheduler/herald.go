package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// Caller makes calls to addresses outside; the guarded client does.
type Caller interface {
	Do(ctx context.Context, r egress.Request) (*egress.Response, error)
}

const (
	heraldLook    = time.Second
	heraldTimeout = 10 * time.Second
	// tickSilence is how long ago the ticker may have done its work last, for all to be well.
	tickSilence = 15 * time.Second
)

// herald tells somebody outside, again and again, that this installation does its work: when it falls silent, they know. Of
// several schedulers one does it each time.
type herald struct {
	db     *postgres.DB
	clock  clock.Clock
	log    *slog.Logger
	client Caller
	url    string
	every  time.Duration
	ticked atomic.Pointer[time.Time] // when the ticker last did its work, by this machine's clock
	ill    bool
}

// watched notes when a step does its work.
func (h *herald) watched(step func(context.Context) (time.Duration, error)) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		wait, err := step(ctx)
		if err == nil {
			now := h.clock.Now()
			h.ticked.Store(&now)
		}
		return wait, err
	}
}

func (h *herald) step(ctx context.Context) (time.Duration, error) {
	if last := h.ticked.Load(); last == nil || h.clock.Now().Sub(*last) > tickSilence {
		return heraldLook, nil
	}
	mine, err := postgres.Alerts{Q: h.db}.Beat(ctx, h.every)
	if err != nil || !mine {
		return min(heraldLook, h.every), err
	}
	err = h.beat(ctx)
	if (err != nil) != h.ill {
		h.ill = err != nil
		if h.ill {
			h.log.WarnContext(ctx, "the heartbeat of this installation does not arrive", "error", err)
		} else {
			h.log.InfoContext(ctx, "the heartbeat of this installation arrives again")
		}
	}
	return min(heraldLook, h.every), nil
}

// beat makes the call. Its error does not hold the address, which may be worth as much as a password.
func (h *herald) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, heraldTimeout)
	defer cancel()
	answer, err := h.client.Do(ctx, egress.Request{Method: http.MethodGet, URL: h.url})
	var failed *egress.Error
	if errors.As(err, &failed) {
		return fmt.Errorf("the call failed: %s", failed.Kind)
	}
	if err != nil {
		return err //nolint:wrapcheck // the interface is ours
	}
	if answer.Status < 200 || answer.Status > 299 {
		return fmt.Errorf("the answer is %d", answer.Status)
	}
	return nil
}
