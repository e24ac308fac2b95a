package api

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// eventExtras are what people want to know of a trigger that waits for an event, besides its definition.
type eventExtras struct {
	url  string // empty for those who may not start runs: whoever knows it can
	beat *postgres.Heartbeat
}

// eventExtras finds them, with no query where there are no such triggers.
func (s *server) eventExtras(ctx context.Context, triggers []postgres.TriggerRow) (map[uuid.UUID]eventExtras, error) {
	var addressed, beating []uuid.UUID
	paths := map[uuid.UUID]string{}
	for _, t := range triggers {
		if t.RemovedAt != nil || !t.Spec.HasAddress() {
			continue
		}
		paths[t.ID] = hooksPath
		if t.Spec.Type == workflow.TriggerHeartbeat {
			beating, paths[t.ID] = append(beating, t.ID), pingsPath
		}
		if httpx.Principal(ctx).Can(account.RunStart, t.ProjectID) {
			addressed = append(addressed, t.ID)
		}
	}
	if len(addressed)+len(beating) == 0 {
		return nil, nil
	}
	tokens, err := postgres.Addresses{Q: s.db}.Of(ctx, addressed)
	if err != nil {
		return nil, err
	}
	beats, err := postgres.Heartbeats{Q: s.db}.Of(ctx, beating)
	if err != nil {
		return nil, err
	}
	extras := map[uuid.UUID]eventExtras{}
	base := s.publicURL(ctx)
	for id, path := range paths {
		var x eventExtras
		if token, ok := tokens[id]; ok {
			x.url = base + path + token
		}
		if beat, ok := beats[id]; ok {
			x.beat = &beat
		}
		extras[id] = x
	}
	return extras, nil
}

// publicURL is where others reach this installation, without a slash at the end: what is set, or where the request came to.
func (s *server) publicURL(ctx context.Context) string {
	if s.cfg.PublicURL != "" {
		return trimSlash(s.cfg.PublicURL)
	}
	c := echoOf(ctx)
	if c == nil {
		return ""
	}
	scheme := "http"
	if httpx.IsTLS(c.Request()) {
		scheme = "https"
	}
	return scheme + "://" + c.Request().Host
}

func trimSlash(url string) string {
	for len(url) > 0 && url[len(url)-1] == '/' {
		url = url[:len(url)-1]
	}
	return url
}

// eventWords describe triggers in one language.
type eventWords struct {
	webhook, signed, success, failure, either, pings string
}

var eventEnglish = eventWords{
	webhook: "When a request comes to its address", signed: ", signed (%s)",
	success: "When a run of %s succeeds", failure: "When a run of %s fails", either: "When a run of %s ends",
	pings: "When a ping is late; expected: %s",
}

var eventSpanish = eventWords{
	webhook: "Cuando llega una petición a su dirección", signed: ", firmada (%s)",
	success: "Cuando una ejecución de %s sale bien", failure: "Cuando una ejecución de %s falla", either: "Cuando una ejecución de %s termina",
	pings: "Cuando un latido se retrasa; se espera: %s",
}

// describeEvent says in a sentence what a trigger waits for.
func describeEvent(t workflow.Trigger, lang string) string {
	w := &eventEnglish
	if lang == "es" {
		w = &eventSpanish
	}
	switch t.Type {
	case workflow.TriggerWebhook:
		text := w.webhook
		if t.Signature != nil {
			text += fmt.Sprintf(w.signed, t.Signature.Scheme)
		}
		return text
	case workflow.TriggerAfter:
		form := map[string]string{workflow.OnSuccess: w.success, workflow.OnFailure: w.failure, workflow.OnAny: w.either}[t.Ends()]
		return fmt.Sprintf(form, t.Workflow)
	}
	compiled, err := schedule.Compile(t.Spec(time.Unix(0, 0).UTC()))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(w.pings, lowerFirst(compiled.Describe(lang)))
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}

// dress shows a trigger that waits for an event.
func (x eventExtras) dress(out *oas.Trigger, t workflow.Trigger, plan postgres.TriggerRow, lang string) {
	out.Description = describeEvent(t, lang)
	if x.url != "" {
		out.Url = &x.url
	}
	if t.Type == workflow.TriggerAfter {
		out.AfterWorkflowId = plan.AfterWorkflow
	}
	if t.Type == workflow.TriggerHeartbeat {
		out.Heartbeat = heartbeatOf(t, plan, x.beat)
	}
}

func heartbeatOf(t workflow.Trigger, plan postgres.TriggerRow, beat *postgres.Heartbeat) *oas.HeartbeatState {
	state := &oas.HeartbeatState{State: oas.HeartbeatStateStateOff}
	if beat == nil {
		return state
	}
	state.LastPing, state.LateSince = wire.Maybe(beat.PingedAt), wire.Maybe(beat.LateSince)
	state.Signal, state.SignalAt, state.Message = beat.Signal, wire.Maybe(beat.SignalAt), beat.Message
	if !plan.Enabled {
		return state
	}
	switch {
	case beat.LateSince != nil:
		state.State = oas.HeartbeatStateStateLate
	case beat.StartedAt != nil:
		state.State = oas.HeartbeatStateStateStarted
	case beat.PingedAt == nil:
		state.State = oas.HeartbeatStateStateWaiting
	default:
		state.State = oas.HeartbeatStateStateFine
	}
	if compiled, err := schedule.Compile(t.Spec(plan.AnchorAt)); err == nil && beat.LateSince == nil {
		expected := wire.At(t.NextPing(compiled, beat.Last()))
		state.ExpectedAt = &expected
	}
	return state
}
