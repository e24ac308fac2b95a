package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// GetEgress implements the contract.
func (s *server) GetEgress(ctx context.Context, req oas.GetEgressRequestObject) (oas.GetEgressResponseObject, error) {
	if err := httpx.Principal(ctx).May(account.ProjectRead, req.Id); err != nil {
		return nil, err
	}
	rules, err := s.egress(ctx, req.Id)
	return oas.GetEgress200JSONResponse(rules), err
}

// RestrictEgress implements the contract.
func (s *server) RestrictEgress(ctx context.Context, req oas.RestrictEgressRequestObject) (oas.RestrictEgressResponseObject, error) {
	who := httpx.Principal(ctx)
	if err := who.May(account.ProjectWrite, req.Id); err != nil {
		return nil, err
	}
	list, err := egressList("/only", req.Body.Only)
	if err != nil {
		return nil, err
	}
	if err := s.changeEgress(ctx, audit.ProjectRestrict, req.Id, list, postgres.Projects.RestrictEgress); err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "outgoing calls restricted", "project", req.Id, "to", list, "by", who.User.ID)
	rules, err := s.egress(ctx, req.Id)
	return oas.RestrictEgress200JSONResponse(rules), err
}

// AllowEgress implements the contract.
func (s *server) AllowEgress(ctx context.Context, req oas.AllowEgressRequestObject) (oas.AllowEgressResponseObject, error) {
	list, err := egressList("/allow", req.Body.Allow)
	if err != nil {
		return nil, err
	}
	if err := s.changeEgress(ctx, audit.ProjectAllow, req.Id, list, postgres.Projects.AllowEgress); err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "outgoing calls allowed", "project", req.Id, "to", list, "by", httpx.Principal(ctx).User.ID)
	rules, err := s.egress(ctx, req.Id)
	return oas.AllowEgress200JSONResponse(rules), err
}

// changeEgress sets one of a project's lists.
func (s *server) changeEgress(ctx context.Context, action audit.Action, id uuid.UUID, list []string,
	set func(postgres.Projects, context.Context, uuid.UUID, []string) error,
) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		projects := postgres.Projects{Q: q}
		before, err := projects.EgressRules(ctx, []uuid.UUID{id})
		if err != nil {
			return err
		}
		if err := set(projects, ctx, id, list); err != nil {
			return err
		}
		after, err := projects.EgressRules(ctx, []uuid.UUID{id})
		if err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: action, Project: id, Object: audit.Of(id, ""), Before: egressData(before[id]), After: egressData(after[id]),
		})
	})
}

func egressData(r postgres.EgressRow) audit.Data { return audit.Data{"allow": r.Allow, "only": r.Only} }

func (s *server) egress(ctx context.Context, id uuid.UUID) (oas.Egress, error) {
	found, err := postgres.Projects{Q: s.db}.EgressRules(ctx, []uuid.UUID{id})
	rules := found[id]
	return oas.Egress{Allow: rules.Allow, Only: rules.Only}, err
}

// egressList is a list as it is stored, each entry once; every entry that is none is pointed at.
func egressList(pointer string, entries []string) ([]string, error) {
	list := make([]string, 0, len(entries))
	seen := map[string]bool{}
	var wrong []fault.Field
	for i, raw := range entries {
		entry := strings.ToLower(strings.TrimSpace(raw))
		if err := egress.CheckEntry(entry); err != nil {
			wrong = append(wrong, fault.Field{
				Pointer: fmt.Sprintf("%s/%d", pointer, i), Code: "egress_entry", Message: "the entry " + err.Error(),
			})
		}
		if !seen[entry] {
			seen[entry] = true
			list = append(list, entry)
		}
	}
	return list, fault.InvalidFields(wrong)
}
