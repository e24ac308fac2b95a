package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/webhook"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// ListDeliveries implements the contract.
func (s *server) ListDeliveries(ctx context.Context, req oas.ListDeliveriesRequestObject) (oas.ListDeliveriesResponseObject, error) {
	trigger, err := s.trigger(ctx, account.RunRead, req.Id, req.Trigger)
	if err != nil {
		return nil, err
	}
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	filter := postgres.DeliveryFilter{TriggerID: trigger.ID, Before: before, Limit: limit + 1}
	if req.Params.Verdict != nil {
		filter.Verdict = string(*req.Params.Verdict)
	}
	rows, err := postgres.Deliveries{Q: s.db}.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.DeliveryRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListDeliveries200JSONResponse{Items: make([]oas.DeliverySummary, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		d, err := deliveryOf(r)
		if err != nil {
			return nil, err
		}
		page.Items[i] = oas.DeliverySummary{
			Id: d.Id, WorkflowId: d.WorkflowId, Verdict: d.Verdict, Code: d.Code, Reason: d.Reason, RunId: d.RunId, ReplayOf: d.ReplayOf,
			ReplayedBy: d.ReplayedBy, Method: d.Method, Query: d.Query, Headers: d.Headers, Size: d.Size, Address: d.Address,
			CreatedAt: d.CreatedAt,
		}
	}
	return page, nil
}

// GetDelivery implements the contract.
func (s *server) GetDelivery(ctx context.Context, req oas.GetDeliveryRequestObject) (oas.GetDeliveryResponseObject, error) {
	row, err := postgres.Deliveries{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.RunRead), req.Id)
	if err != nil {
		return nil, err
	}
	d, err := deliveryOf(row)
	return oas.GetDelivery200JSONResponse(d), err
}

func deliveryOf(r postgres.DeliveryRow) (oas.Delivery, error) {
	d := oas.Delivery{
		Id: r.ID, WorkflowId: r.WorkflowID, Verdict: oas.DeliveryVerdict(r.Verdict), Code: r.Code, Reason: r.Reason, RunId: r.RunID,
		ReplayOf: r.ReplayOf, ReplayedBy: r.ReplayedBy, Method: r.Method, Query: r.Query, Headers: map[string]string{},
		Size: int32(r.Size), Address: r.Address, CreatedAt: wire.At(r.CreatedAt), //nolint:gosec // at most 1 MiB, or what a header says
		Body: string(r.Body), Encoding: oas.DeliveryEncodingText, Complete: len(r.Body) == r.Size,
	}
	if err := json.Unmarshal(r.Headers, &d.Headers); err != nil {
		return d, fmt.Errorf("read headers of delivery %s: %w", r.ID, err)
	}
	if !utf8.Valid(r.Body) {
		d.Body, d.Encoding = base64.StdEncoding.EncodeToString(r.Body), oas.DeliveryEncodingBase64
	}
	return d, nil
}

// ReplayDelivery implements the contract.
func (s *server) ReplayDelivery(ctx context.Context, req oas.ReplayDeliveryRequestObject) (oas.ReplayDeliveryResponseObject, error) {
	who, by := httpx.Principal(ctx), dispatch.Replayed{Inputs: replayInputs}
	if req.Body != nil && req.Body.Version != nil && *req.Body.Version == oas.ReplayVersionDraft {
		old, err := postgres.Deliveries{Q: s.db}.Get(ctx, who.Where(account.RunStart), req.Id)
		if err != nil {
			return nil, err
		}
		draft, def, _, err := s.drafted(ctx, account.WorkflowWrite, old.WorkflowID, nil)
		if err != nil {
			return nil, err
		}
		by.Draft, by.Revision = &def, draft.Revision
	}
	row, err := s.dispatch.Replay(ctx, who, req.Id, by)
	if err != nil {
		return nil, err
	}
	accepted, err := s.accepted(ctx, row)
	return oas.ReplayDelivery202JSONResponse{RunAcceptedJSONResponse: accepted}, err
}

// replayInputs reads a delivery as it was read when it arrived.
func replayInputs(d postgres.DeliveryRow, t postgres.TriggerRow) (json.RawMessage, error) {
	kept := map[string]string{}
	if err := json.Unmarshal(d.Headers, &kept); err != nil {
		return nil, fmt.Errorf("read headers of delivery %s: %w", d.ID, err)
	}
	r := webhook.Request{Method: d.Method, Header: http.Header{}, Query: d.Query, Body: d.Body}
	for name, value := range kept {
		r.Header.Set(name, value)
	}
	seen, err := webhook.Read(r, t.Spec.Signature, httpx.CheckJSON)
	if err != nil {
		return nil, err
	}
	return seen.Inputs(t.Spec, d.ID, d.Method, d.Size)
}

// RotateTriggerURL implements the contract.
func (s *server) RotateTriggerURL(ctx context.Context, req oas.RotateTriggerURLRequestObject) (oas.RotateTriggerURLResponseObject, error) {
	keep := time.Duration(0)
	if req.Body != nil && req.Body.KeepOld != nil {
		parsed, err := workflow.ParseDuration(*req.Body.KeepOld)
		if err != nil {
			return nil, fault.At("/keep_old", "duration", "%s", err)
		}
		if keep = time.Duration(parsed); keep > dispatch.MaxKeepOld {
			return nil, fault.At("/keep_old", "too_long", "the old address may work for 7 days at most")
		}
	}
	who := httpx.Principal(ctx)
	if err := s.dispatch.Rotate(ctx, who, req.Id, req.Trigger, keep); err != nil {
		return nil, err
	}
	row, err := postgres.Workflows{Q: s.db}.Get(ctx, who.Where(account.WorkflowWrite), req.Id)
	if err != nil {
		return nil, err
	}
	one, err := s.one(ctx, row, req.Params.AcceptLanguage)
	return oas.RotateTriggerURL200JSONResponse{OneWorkflowJSONResponse: one}, err
}
