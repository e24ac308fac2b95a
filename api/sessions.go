package api

import (
	"context"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListSessions implements the contract.
func (s *server) ListSessions(ctx context.Context, _ oas.ListSessionsRequestObject) (oas.ListSessionsResponseObject, error) {
	who := httpx.Principal(ctx)
	rows, err := postgres.Sessions{Q: s.db}.List(ctx, who.User.ID)
	if err != nil {
		return nil, err
	}
	list := oas.ListSessions200JSONResponse{Items: make([]oas.LoginSession, len(rows))}
	for i, r := range rows {
		list.Items[i] = oas.LoginSession{
			Id: r.ID, Current: r.ID == who.Session, CreatedAt: wire.At(r.CreatedAt), UsedAt: wire.At(r.UsedAt),
			ExpiresAt: wire.At(r.ExpiresAt), UserAgent: r.UserAgent, Address: r.Address,
		}
	}
	return list, nil
}

// EndSession implements the contract.
func (s *server) EndSession(ctx context.Context, req oas.EndSessionRequestObject) (oas.EndSessionResponseObject, error) {
	who := httpx.Principal(ctx)
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Sessions{Q: q}).EndOne(ctx, who.User.ID, req.Id); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: audit.SessionEnd, Object: audit.Of(req.Id, who.User.Username)})
	})
	if err != nil {
		return nil, err
	}
	s.callers.forget(req.Id)
	return oas.EndSession204Response{}, nil
}
