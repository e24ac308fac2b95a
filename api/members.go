package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

var (
	errOwnersOnly = fault.New(fault.Forbidden, "owners_only", "What concerns owners is decided by owners")
	errLastOwner  = fault.New(fault.Conflict, "last_owner", "A project needs an owner who can log in; make somebody else owner first")
)

// ListMembers implements the contract.
func (s *server) ListMembers(ctx context.Context, req oas.ListMembersRequestObject) (oas.ListMembersResponseObject, error) {
	if err := httpx.Principal(ctx).May(account.ProjectRead, req.Id); err != nil {
		return nil, err
	}
	rows, err := postgres.Projects{Q: s.db}.Members(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	list := oas.ListMembers200JSONResponse{Items: make([]oas.Member, len(rows))}
	for i, r := range rows {
		list.Items[i] = memberOf(r)
	}
	return list, nil
}

// ChangeMember implements the contract.
func (s *server) ChangeMember(ctx context.Context, req oas.ChangeMemberRequestObject) (oas.ChangeMemberResponseObject, error) {
	role := account.ProjectRole(req.Body.Role)
	member, err := s.changeMember(ctx, audit.MemberRole, account.MemberWrite, req.Id, req.User, role, func(projects postgres.Projects, _ postgres.MemberRow) error {
		return projects.SetRole(ctx, req.Id, req.User, role)
	})
	member.Role = role
	return oas.ChangeMember200JSONResponse(memberOf(member)), err
}

// RemoveMember implements the contract.
func (s *server) RemoveMember(ctx context.Context, req oas.RemoveMemberRequestObject) (oas.RemoveMemberResponseObject, error) {
	_, err := s.changeMember(ctx, audit.MemberRemove, account.MemberWrite, req.Id, req.User, "", func(projects postgres.Projects, _ postgres.MemberRow) error {
		return projects.Remove(ctx, req.Id, req.User)
	})
	return oas.RemoveMember204Response{}, err
}

// LeaveProject implements the contract.
func (s *server) LeaveProject(ctx context.Context, req oas.LeaveProjectRequestObject) (oas.LeaveProjectResponseObject, error) {
	who := httpx.Principal(ctx)
	if who.Token != uuid.Nil { // to be in the project is its user's, not the program's
		return nil, httpx.ErrSessionOnly
	}
	me := who.User.ID
	_, err := s.changeMember(ctx, audit.MemberLeave, account.ProjectRead, req.Id, me, "", func(projects postgres.Projects, _ postgres.MemberRow) error {
		return projects.Remove(ctx, req.Id, me)
	})
	return oas.LeaveProject204Response{}, err
}

// changeMember changes what somebody is in a project, to the role or, with none, to nothing, and answers what they were.
// Changes of a project wait for each other, so that what is checked here still holds when they are made. Whoever may not
// invite any more leaves no invitations behind.
func (s *server) changeMember(
	ctx context.Context, action audit.Action, permission account.Permission, project, user uuid.UUID, role account.ProjectRole, change func(postgres.Projects, postgres.MemberRow) error,
) (member postgres.MemberRow, err error) {
	who := httpx.Principal(ctx)
	if err := who.May(permission, project); err != nil {
		return member, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		projects := postgres.Projects{Q: q}
		if err := projects.Lock(ctx, project); err != nil {
			return err
		}
		// Who asks may have been changed by what this waited for.
		asking, err := projects.Member(ctx, project, who.User.ID)
		if err != nil {
			return err
		}
		if member, err = projects.Member(ctx, project, user); err != nil {
			return err
		}
		concernsOwners := member.Role == account.Owner || role == account.Owner
		switch {
		case !asking.Role.Allows(permission):
			return fault.New(fault.Forbidden, "role_forbids", "You are %s of this project now", asking.Role)
		case concernsOwners && asking.Role != account.Owner:
			return errOwnersOnly
		}
		if err := change(projects, member); err != nil {
			return err
		}
		if owners, err := projects.Owners(ctx, project); err != nil || owners == 0 && member.Role == account.Owner {
			return orElse(err, errLastOwner)
		}
		if !role.Allows(account.MemberWrite) {
			if err := (postgres.Invitations{Q: q}).DropOf(ctx, project, user); err != nil {
				return err
			}
		}
		c := audit.Change{Action: action, Project: project, Object: audit.Of(user, member.Username), Before: audit.Data{"role": member.Role}}
		if role != "" {
			c.After = audit.Data{"role": role}
		}
		return postgres.Note(ctx, q, c)
	})
	if err != nil {
		return member, err
	}
	s.changed(ctx, user)
	s.log.InfoContext(ctx, "member changed", "project", project, "user", user, "role", role, "by", who.User.ID)
	return member, nil
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func memberOf(r postgres.MemberRow) oas.Member {
	return oas.Member{
		UserId: r.UserID, Email: r.Email, Username: r.Username, Role: oas.ProjectRole(r.Role), Disabled: r.Disabled, Since: wire.At(r.Since),
	}
}
