package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
)

// GetQuota implements the contract.
func (s *server) GetQuota(ctx context.Context, req oas.GetQuotaRequestObject) (oas.GetQuotaResponseObject, error) {
	if err := httpx.Principal(ctx).May(account.ProjectRead, req.Id); err != nil {
		return nil, err
	}
	found, err := s.quotas(ctx, []uuid.UUID{req.Id})
	return oas.GetQuota200JSONResponse(found[req.Id]), err
}

// SetQuota implements the contract.
func (s *server) SetQuota(ctx context.Context, req oas.SetQuotaRequestObject) (oas.SetQuotaResponseObject, error) {
	own := quota.Own{
		Workflows: number(req.Body.Workflows), RunsPerMinute: number(req.Body.RunsPerMinute), ConcurrentRuns: number(req.Body.ConcurrentRuns), Storage: number(req.Body.Storage),
	}
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		quotas := postgres.Quotas{Q: q}
		before, err := quotas.Own(ctx, []uuid.UUID{req.Id})
		if err != nil {
			return err
		}
		if err := quotas.Set(ctx, req.Id, own); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.ProjectQuota, Project: req.Id, Object: audit.Of(req.Id, ""), Before: quotaData(before[req.Id]), After: quotaData(own),
		})
	})
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "quota set", "project", req.Id, "by", httpx.Principal(ctx).User.ID)
	found, err := s.quotas(ctx, []uuid.UUID{req.Id})
	return oas.SetQuota200JSONResponse(found[req.Id]), err
}

func quotaData(o quota.Own) audit.Data {
	return audit.Data{"workflows": o.Workflows, "runs_per_minute": o.RunsPerMinute, "concurrent_runs": o.ConcurrentRuns, "storage": o.Storage}
}

// quotas are how much projects use and may use.
func (s *server) quotas(ctx context.Context, projects []uuid.UUID) (map[uuid.UUID]oas.ProjectQuota, error) {
	quotas := postgres.Quotas{Q: s.db}
	own, err := quotas.Own(ctx, projects)
	if err != nil {
		return nil, err
	}
	used, err := quotas.Usage(ctx, projects)
	if err != nil {
		return nil, err
	}
	all := make(map[uuid.UUID]oas.ProjectQuota, len(projects))
	for _, id := range projects {
		u, o := used[id], own[id]
		may := s.cfg.Quota.With(o)
		all[id] = oas.ProjectQuota{
			Workflows:      useOf(u.Workflows, may.Workflows, o.Workflows),
			RunsPerMinute:  useOf(u.LastMin, may.RunsPerMinute, o.RunsPerMinute),
			ConcurrentRuns: useOf(u.AtWork, may.ConcurrentRuns, o.ConcurrentRuns),
			Storage:        useOf(u.Stored, may.Storage, o.Storage),
		}
	}
	return all, nil
}

func useOf(used, most int, own *int) oas.QuotaUse {
	use := oas.QuotaUse{Used: int64(used), Own: own != nil}
	if most > 0 {
		limit := int64(most)
		use.Limit = &limit
	}
	return use
}
