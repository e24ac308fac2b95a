package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
)

// ResolveRun implements the contract.
func (s *server) ResolveRun(ctx context.Context, req oas.ResolveRunRequestObject) (oas.ResolveRunResponseObject, error) {
	r := dispatch.Resolution{Step: req.Body.Step, Decision: string(req.Body.Decision)}
	if req.Body.Note != nil {
		r.Note = *req.Body.Note
	}
	if req.Body.Output != nil {
		raw, err := json.Marshal(req.Body.Output)
		if err != nil {
			return nil, fmt.Errorf("encode the output: %w", err)
		}
		r.Output = raw
	}
	row, err := s.dispatch.Resolve(ctx, httpx.Principal(ctx), req.Id, r)
	if err != nil {
		return nil, err
	}
	accepted, err := s.accepted(ctx, row)
	return oas.ResolveRun202JSONResponse{RunAcceptedJSONResponse: accepted}, err
}
