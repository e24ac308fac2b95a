package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// whyMissing implements httpx.Explain: what is in a project of the caller whose role does not carry the permission is
// forbidden; everything else is not there, whoever it belongs to.
func (s *server) whyMissing(ctx context.Context, who account.Principal, permission account.Permission, kind string, id uuid.UUID, missing error) error {
	closed := who.Without(permission)
	if len(closed) == 0 {
		return missing
	}
	project, err := postgres.Owners{Q: s.db}.Of(ctx, closed, kind, id)
	if fault.Is(err, fault.NotFound) {
		return missing
	}
	if err != nil {
		return err
	}
	return who.May(permission, project)
}
