package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

const (
	alertsAtOnce = 4 // of one worker, besides its runs
	alertLook    = time.Second
	// alertLease is how long a worker has a message: longer than an attempt may take with its wait for the host.
	alertLease = 2 * time.Minute
	// longestWait bounds how long a message waits for a host that takes no calls before it is looked at again.
	longestWait = 10 * time.Minute
)

// alertRetry is how messages are tried again: for about an hour and a half.
var alertRetry = run.Retry{Attempts: 10, Initial: 10 * time.Second, Max: 20 * time.Minute}

// alerts sends the messages that are due, until stop ends. They have places of their own: what is wrong with runs must not keep
// people from hearing of it.
func (w *Worker) alerts(ctx, stop context.Context) error {
	var open sync.WaitGroup
	defer open.Wait()
	places := make(chan struct{}, alertsAtOnce)
	freed := make(chan struct{}, 1)
	for {
		if free := cap(places) - len(places); free > 0 {
			claimed, err := postgres.Alerts{Q: w.db}.Claim(stop, w.name, alertLease, free)
			if err != nil && stop.Err() == nil {
				w.log.WarnContext(ctx, "alerts not claimed", "error", err)
			}
			for _, c := range claimed {
				places <- struct{}{}
				open.Go(func() {
					w.sendAlert(ctx, c)
					<-places
					nudgeAlerts(freed)
				})
			}
		}
		select {
		case <-w.clock.After(alertLook):
		case <-freed: // more may wait than there were places for
		case <-stop.Done():
			return nil
		}
	}
}

func nudgeAlerts(freed chan<- struct{}) {
	select {
	case freed <- struct{}{}:
	default:
	}
}

// sendAlert makes one attempt to send a message, and notes how it went.
func (w *Worker) sendAlert(ctx context.Context, c postgres.ClaimedDelivery) {
	result := w.tryAlert(ctx, c)
	err := w.insist(ctx, func(ctx context.Context) error {
		return postgres.Alerts{Q: w.db}.Finish(ctx, w.name, c, result)
	})
	if err != nil {
		w.log.WarnContext(ctx, "alert not recorded", "alert", c.AlertID, "channel", c.ChannelID, "error", err)
	}
}

func (w *Worker) tryAlert(ctx context.Context, c postgres.ClaimedDelivery) postgres.DeliveryResult {
	failed := func(class, message string) postgres.DeliveryResult {
		r := postgres.DeliveryResult{Failed: &postgres.DeliveryTry{At: w.clock.Now().UTC(), Class: class, Error: clip(message)}}
		if c.Kind != alert.Test && (class == run.FailureWorkerLost || alertRetry.Covers(class)) && c.Tried+1 < alertRetry.Attempts {
			r.Again, r.Delay = true, alertRetry.Delay(c.Tried+1, 0, rand.Float64()) //nolint:gosec // spreads attempts
		}
		return r
	}
	if c.Action == nil {
		return failed(run.FailureConfig, "the channel was removed")
	}
	step, err := alert.Channel{Name: *c.Name, Action: *c.Action, Config: c.Config}.Step()
	if err != nil {
		return failed(run.FailureConfig, err.Error())
	}
	ready := w.library.prepare(step)
	if ready.broken != nil {
		return failed(run.FailureConfig, ready.broken.Error())
	}
	given, err := w.vault.reveal(ctx, c.ProjectID, ready.names)
	var no refused
	switch {
	case errors.As(err, &no):
		return failed(run.FailureConfig, err.Error())
	case err != nil:
		w.log.WarnContext(ctx, "values of an alert's channel not read", "channel", c.ChannelID, "error", err)
		return postgres.DeliveryResult{Again: true, Delay: alertRetry.Initial}
	}
	env, err := w.alertEnv(c)
	if err != nil {
		return failed(run.FailureConfig, err.Error())
	}
	secrets := secret.NewRedactor(given.values...)
	result, away := w.once(ctx, ready, action.Call{
		RunID: c.AlertID, ProjectID: c.ProjectID, Step: step.ID + "-" + c.ChannelID.String(), Attempt: c.Attempt, Failures: c.Tried, Env: given.env(env), Now: c.Now, Secrets: secrets,
		Log: func(level, message string) {
			w.log.DebugContext(ctx, "alert", "alert", c.AlertID, "level", level, "says", secrets.Hide(message))
		},
	}, alert.SendTimeout)
	switch {
	case away != nil && c.Kind == alert.Test:
		return failed("host", away.why)
	case away != nil: // that is no attempt
		return postgres.DeliveryResult{Again: true, Delay: min(max(away.wait, time.Second), longestWait)}
	case result.Failure == nil:
		return postgres.DeliveryResult{Sent: true}
	case ctx.Err() != nil && !result.Failure.Unsent:
		return failed(run.FailureWorkerLost, "the worker was stopped; whether the message arrived is not known")
	}
	r := failed(result.Failure.Class, result.Failure.Message)
	r.Delay = max(r.Delay, min(result.Failure.RetryAfter, alertRetry.Max))
	return r
}

// alertEnv is what the templates of a channel see.
func (w *Worker) alertEnv(c postgres.ClaimedDelivery) (expr.Env, error) {
	message := alert.Message{Title: c.Title, Text: c.Text}
	raw, err := json.Marshal(alert.Value(c.AlertID, c.Kind, message, c.Facts, c.WorkflowID, w.alertLink(c)))
	if err != nil {
		return nil, fmt.Errorf("write the alert: %w", err)
	}
	value, err := expr.DecodeJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("read the alert: %w", err)
	}
	return expr.Env{alert.Root: value}, nil
}

// alertLink is where more is to be seen; empty when the installation does not know its address.
func (w *Worker) alertLink(c postgres.ClaimedDelivery) string {
	switch {
	case w.cfg.PublicURL == "":
		return ""
	case c.Facts.RunID != nil:
		return w.cfg.PublicURL + "/runs/" + c.Facts.RunID.String()
	case c.WorkflowID != nil:
		return w.cfg.PublicURL + "/workflows/" + c.WorkflowID.String()
	case c.Kind == alert.Storage || c.Facts.Of == alert.Storage:
		return w.cfg.PublicURL + "/projects/" + c.ProjectID.String()
	}
	return w.cfg.PublicURL + "/alerts"
}
