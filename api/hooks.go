package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/pkg/batch"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/webhook"
)

// Where the addresses of triggers begin.
const (
	hooksPath = "/hooks/"
	pingsPath = "/ping/"
)

// hookTimeout is how long a request may take, without the time that its trigger wants to wait for the run.
const hookTimeout = 15 * time.Second

// bodyTimeout is how long the body of a request may take to arrive: until then it takes room from others.
const bodyTimeout = 10 * time.Second

// hookAnswer is what the sender of a delivery gets.
type hookAnswer struct {
	RunID      *uuid.UUID      `json:"run_id"`
	DeliveryID uuid.UUID       `json:"delivery_id"`
	Verdict    string          `json:"verdict"`
	Duplicate  bool            `json:"duplicate,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Status     string          `json:"status,omitempty"` // of the run, for who waits for it
	Outputs    json.RawMessage `json:"outputs,omitempty"`
}

// serve takes a request to the address of a webhook trigger.
func (h *hooks) serve(c echo.Context) error {
	listening := c.Request().Context() // it ends when the sender leaves
	ctx, cancel := context.WithTimeout(listening, hookTimeout)
	defer cancel()
	k, err := h.find(ctx, c.Param("token"), false)
	if err != nil {
		return err
	}
	if !k.Spec.Takes(c.Request().Method) {
		c.Response().Header().Set("Allow", strings.Join(k.Spec.TakenMethods(), ", "))
		return echo.NewHTTPError(http.StatusMethodNotAllowed, "Use "+strings.Join(k.Spec.TakenMethods(), " or "))
	}
	leave, err := h.intake.enter(k.TriggerID, c.Request().ContentLength)
	if err != nil {
		return err
	}
	defer leave()
	if err := http.NewResponseController(c.Response()).SetReadDeadline(h.server.clock.Now().Add(bodyTimeout)); err != nil {
		return fmt.Errorf("bound the time for the body: %w", err)
	}
	request, err := readHook(c)
	if err != nil {
		h.refuse(ctx, c, k, request, err)
		return err
	}
	taken, err := h.take(ctx, c, k, request)
	leave() // who waits for the run is no burden any more
	defer taken.ear.close()
	if err != nil {
		return err
	}
	return h.answer(listening, c, taken)
}

// taken is a delivery that was stored.
type taken struct {
	hook     *hook
	delivery dispatch.Delivery
	done     dispatch.Delivered
	ear      *runEar // nil when nobody waits for the run
}

// readHook reads the request as it arrived. What is read before the body turns out too large is in the answer.
func readHook(c echo.Context) (webhook.Request, error) {
	in := c.Request()
	r := webhook.Request{Method: in.Method, Header: in.Header, Query: in.URL.RawQuery}
	if in.ContentLength > webhook.MaxBody {
		return r, fault.New(fault.TooLarge, "body_too_large", "The body is larger than 1 MiB")
	}
	var err error
	r.Body, err = io.ReadAll(http.MaxBytesReader(c.Response(), in.Body, webhook.MaxBody))
	if err == nil {
		return r, nil
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return r, fault.New(fault.TooLarge, "body_too_large", "The body is larger than 1 MiB")
	}
	return r, fault.New(fault.Malformed, "body_unreadable", "The body could not be read")
}

// mostLooks is how often a delivery is decided anew because its trigger was changed at the same time.
const mostLooks = 3

// take decides about a request and stores it. What is known of the trigger may be some seconds old: nobody is turned away by
// that, and nothing is stored by it.
func (h *hooks) take(ctx context.Context, c echo.Context, k *hook, r webhook.Request) (t taken, err error) {
	id, err := dispatch.NewRunID()
	if err != nil {
		return t, err
	}
	for range mostLooks {
		t.hook = k
		t.delivery, err = h.decide(ctx, k, r, id)
		if err != nil && k.fresh {
			h.refuse(ctx, c, k, r, err)
			return t, err
		}
		if err == nil {
			t.delivery.Address = c.RealIP()
			if k.Spec.Respond != nil && t.ear == nil {
				t.ear = h.listen(k.ProjectID, id)
			}
			if t.done, err = h.server.dispatch.Deliver(ctx, t.delivery); !errors.Is(err, dispatch.ErrChanged) {
				if fault.Is(err, fault.RateLimited) || fault.Is(err, fault.Conflict) { // a quota is used up
					h.refuse(ctx, c, k, r, err)
				}
				return t, err
			}
		}
		if k, err = h.find(ctx, k.Token, true); err != nil {
			return t, err
		}
	}
	return t, batch.ErrFull
}

// decide says what is to become of a request: who may send it, whether it is wanted, and what the run gets of it.
func (h *hooks) decide(ctx context.Context, k *hook, r webhook.Request, id uuid.UUID) (dispatch.Delivery, error) {
	select {
	case h.deciding <- struct{}{}:
		defer func() { <-h.deciding }()
	case <-ctx.Done():
		return dispatch.Delivery{}, batch.ErrFull
	}
	d := dispatch.Delivery{Hook: k.Addressed, DeliveryRow: postgres.DeliveryRow{
		ID: id, ProjectID: k.ProjectID, WorkflowID: k.WorkflowID, TriggerID: k.TriggerID, Verdict: postgres.VerdictAccepted,
		Method: r.Method, Query: r.Query, Body: r.Body, Size: len(r.Body),
	}}
	if err := k.open(); err != nil {
		return d, err
	}
	if s := k.Spec.Signature; s != nil {
		replays, err := webhook.Verify(*s, k.secret, r, h.server.clock.Now())
		if err != nil {
			return d, err
		}
		for _, id := range replays {
			d.Keys = append(d.Keys, dispatch.Key{Hash: webhook.ReplayKey(id), Life: webhook.ReplayWindow})
		}
	}
	seen, err := webhook.Read(r, k.Spec.Signature, httpx.CheckJSON)
	if err != nil {
		return d, err
	}
	if d.Headers, err = json.Marshal(seen.Headers); err != nil {
		return d, fmt.Errorf("encode headers: %w", err)
	}
	if wanted, why := k.wants(ctx, seen); !wanted {
		code := "filter"
		d.Verdict, d.Code, d.Reason, d.Keys = postgres.VerdictFiltered, &code, &why, nil
		return d, nil
	}
	if dedupe := k.Spec.Dedupe; dedupe != nil {
		if key, ok := seen.Key(*dedupe, r); ok {
			d.Keys = append(d.Keys, dispatch.Key{Hash: key, Life: dedupe.For()})
		}
	}
	d.Inputs, err = seen.Inputs(k.Spec, id, r.Method, len(r.Body))
	return d, err
}

// answer tells the sender what became of the delivery, once the run has ended if the trigger wants that.
func (h *hooks) answer(listening context.Context, c echo.Context, t taken) error {
	done := t.done
	a := hookAnswer{RunID: done.RunID, DeliveryID: t.delivery.ID, Verdict: done.Verdict, Duplicate: done.Verdict == postgres.VerdictDuplicate}
	if done.Verdict == postgres.VerdictFiltered {
		a.Reason = "the trigger's filter does not want it" // why not is for those who may read the delivery
	}
	if done.Code != "" {
		a.Reason = dispatch.SkipReasons[done.Code]
	}
	status := http.StatusAccepted
	if t.ear != nil && done.RunID != nil {
		// The request's own time is over with the delivery; how long the run may take is the trigger's to say.
		if end := t.ear.wait(listening, *done.RunID, time.Duration(t.hook.Spec.Respond.Wait)); end != nil {
			status, a.Status, a.Outputs = http.StatusOK, string(end.Status), end.Outputs
			if end.Reason != nil {
				a.Reason = *end.Reason
			}
		}
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, a)
}

// What a refused delivery keeps.
const (
	refusedBody     = 4 << 10
	refusedHeaders  = 4 << 10
	refusalsAMinute = 20 // of one trigger
)

// refuse lists a request that was turned away, if it tells people something, and if not too many were lately.
func (h *hooks) refuse(ctx context.Context, c echo.Context, k *hook, r webhook.Request, err error) {
	f, ok := fault.Of(err)
	if !ok || f.Code == batch.ErrFull.Code || !h.refusals.allow(k.TriggerID, h.server.clock.Now()) {
		return
	}
	id, err := dispatch.NewRunID()
	if err != nil {
		return
	}
	headers, err := json.Marshal(webhook.Headers(r.Header, k.Spec.Signature))
	if err != nil || len(headers) > refusedHeaders {
		headers = []byte(`{}`)
	}
	size := len(r.Body)
	if n, err := strconv.Atoi(c.Request().Header.Get("Content-Length")); err == nil && n > size && n < 1<<31 {
		size = n
	}
	h.server.dispatch.Refuse(ctx, postgres.DeliveryRow{
		ID: id, ProjectID: k.ProjectID, WorkflowID: k.WorkflowID, TriggerID: k.TriggerID, Verdict: postgres.VerdictRefused,
		Code: &f.Code, Reason: &f.Message, Method: r.Method, Query: storableQuery(r.Query), Headers: headers,
		Body: r.Body[:min(len(r.Body), refusedBody)], Size: size, Address: c.RealIP(),
	})
}

// storableQuery is the beginning of a query, which is not checked when a request is refused.
func storableQuery(q string) string {
	const most = 2000
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '\uFFFD' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(q[:min(len(q), most)], "?"))
}
