package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
)

// ear counts calls, and answers as it is told.
type ear struct {
	calls  []string
	status int
	err    error
}

func (e *ear) Do(_ context.Context, r egress.Request) (*egress.Response, error) {
	e.calls = append(e.calls, r.URL)
	return &egress.Response{Status: e.status}, e.err
}

func TestTheInstallationSaysThatItIsWell(t *testing.T) {
	d := newDesk(t)
	out := &ear{status: 200}
	var lines strings.Builder
	fresh := func() *herald {
		return &herald{
			db: d.db, clock: clock.System{}, log: slog.New(slog.NewTextHandler(&lines, nil)), client: out, url: "https://hc.example.com/s3cr3t", every: time.Minute,
		}
	}
	one, other := fresh(), fresh()
	look := func(h *herald) {
		t.Helper()
		_, err := h.step(t.Context())
		d.must(err)
	}
	look(one)
	if len(out.calls) != 0 {
		t.Fatal("it says that it is well before the ticker did anything")
	}
	for _, h := range []*herald{one, other} {
		_, err := h.watched(d.ticker.step)(t.Context())
		d.must(err)
	}
	look(one)
	look(one)
	look(other)
	d.same([]string{"https://hc.example.com/s3cr3t"}, out.calls)

	next := func() { d.exec(`update installation_beat set beat_at = beat_at - interval '1 minute'`) }
	next()
	look(other)
	if len(out.calls) != 2 {
		t.Errorf("%d calls after two minutes", len(out.calls))
	}
	silent := clock.System{}.Now().Add(-time.Minute)
	one.ticked.Store(&silent)
	if _, err := one.watched(func(context.Context) (time.Duration, error) { return 0, errors.New("away") })(t.Context()); err == nil {
		t.Error("the ticker's error is gone")
	}
	next()
	look(one)
	if len(out.calls) != 2 {
		t.Error("it says that it is well although the ticker does nothing")
	}

	out.status = 500
	look(other)
	out.err = &egress.Error{Kind: egress.KindTimeout, Message: "no answer from https://hc.example.com/s3cr3t"}
	next()
	look(other)
	out.status, out.err = 204, nil
	next()
	look(other)
	if said := lines.String(); strings.Count(said, "does not arrive") != 1 || strings.Count(said, "arrives again") != 1 || strings.Contains(said, "s3cr3t") {
		t.Error(said)
	}
}
