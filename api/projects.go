package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListProjects implements the contract.
func (s *server) ListProjects(ctx context.Context, _ oas.ListProjectsRequestObject) (oas.ListProjectsResponseObject, error) {
	who := httpx.Principal(ctx)
	list := oas.ListProjects200JSONResponse{Items: make([]oas.Membership, len(who.Projects))}
	for i, m := range who.Projects {
		list.Items[i] = membershipOf(m)
	}
	return list, nil
}

// CreateProject implements the contract.
func (s *server) CreateProject(ctx context.Context, req oas.CreateProjectRequestObject) (oas.CreateProjectResponseObject, error) {
	who := httpx.Principal(ctx)
	name, err := account.CleanProjectName(req.Body.Name)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err //nolint:wrapcheck // only the random source can fail
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Projects{Q: q}).Create(ctx, id, name, who.User.ID); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: audit.ProjectCreate, Project: id, Object: audit.Of(id, name), After: audit.Data{"name": name}})
	})
	if err != nil {
		return nil, err
	}
	s.changed(ctx, who.User.ID)
	p, err := s.project(ctx, id, account.Owner)
	location := httpx.Prefix + "/projects/" + id.String()
	return oas.CreateProject201JSONResponse{Body: p, Headers: oas.CreateProject201ResponseHeaders{Location: &location}}, err
}

// GetProject implements the contract.
func (s *server) GetProject(ctx context.Context, req oas.GetProjectRequestObject) (oas.GetProjectResponseObject, error) {
	who := httpx.Principal(ctx)
	if err := who.May(account.ProjectRead, req.Id); err != nil {
		return nil, err
	}
	p, err := s.project(ctx, req.Id, who.In(req.Id))
	return oas.GetProject200JSONResponse(p), err
}

// RenameProject implements the contract.
func (s *server) RenameProject(ctx context.Context, req oas.RenameProjectRequestObject) (oas.RenameProjectResponseObject, error) {
	who := httpx.Principal(ctx)
	name, err := account.CleanProjectName(req.Body.Name)
	if err != nil {
		return nil, err
	}
	if err := who.May(account.ProjectWrite, req.Id); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		projects := postgres.Projects{Q: q}
		before, err := projects.Get(ctx, []uuid.UUID{req.Id}, req.Id)
		if err != nil {
			return err
		}
		if err := projects.Rename(ctx, req.Id, name); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.ProjectRename, Project: req.Id, Object: audit.Of(req.Id, name), Before: audit.Data{"name": before.Name}, After: audit.Data{"name": name},
		})
	})
	if err != nil {
		return nil, err
	}
	s.changed(ctx, who.User.ID)
	p, err := s.project(ctx, req.Id, who.In(req.Id))
	return oas.RenameProject200JSONResponse(p), err
}

// DeleteProject implements the contract.
func (s *server) DeleteProject(ctx context.Context, req oas.DeleteProjectRequestObject) (oas.DeleteProjectResponseObject, error) {
	end := req.Params.EndRuns != nil && *req.Params.EndRuns
	gone, err := s.dispatch.DeleteProject(ctx, httpx.Principal(ctx), req.Id, end)
	if err != nil {
		return nil, err
	}
	for _, m := range gone {
		s.changed(ctx, m.UserID)
	}
	return oas.DeleteProject204Response{}, nil
}

// project shows a project to somebody with the role.
func (s *server) project(ctx context.Context, id uuid.UUID, role account.ProjectRole) (oas.Project, error) {
	row, err := postgres.Projects{Q: s.db}.Get(ctx, []uuid.UUID{id}, id)
	if err != nil {
		return oas.Project{}, err
	}
	return oas.Project{
		Id: row.ID, Name: row.Name, Role: oas.ProjectRole(role), Permissions: permissionsOf(role), Members: int32(row.Members), //nolint:gosec // MaxMembers
		CreatedAt: wire.At(row.CreatedAt),
	}, nil
}

// changed makes what changed about somebody take effect at once, here and on the other replicas.
func (s *server) changed(ctx context.Context, user uuid.UUID) {
	s.callers.forgetPerson(user)
	s.queue.AnnouncePeople(ctx, user)
}

func membershipOf(m account.Membership) oas.Membership {
	return oas.Membership{Id: m.ProjectID, Name: m.Name, Role: oas.ProjectRole(m.Role), Permissions: permissionsOf(m.Role)}
}

func permissionsOf(role account.ProjectRole) []string {
	list := make([]string, 0, len(role.Permissions()))
	for _, p := range role.Permissions() {
		list = append(list, string(p))
	}
	return list
}
