package api

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// invitationLife is how long an invitation can be accepted.
const invitationLife = 7 * 24 * time.Hour

// Where links lead. The token stands behind the #, which browsers send to nobody.
const (
	invitationPage = "/invitation#"
	resetPage      = "/reset#"
)

var (
	errSpent      = fault.New(fault.Gone, "link_spent", "The link was used already, was taken back, or its time is over; ask for another")
	errForAnother = fault.New(fault.Forbidden, "invitation_for_another", "This invitation is for another e-mail address")
)

// ListInvitations implements the contract.
func (s *server) ListInvitations(ctx context.Context, req oas.ListInvitationsRequestObject) (oas.ListInvitationsResponseObject, error) {
	if err := httpx.Principal(ctx).May(account.MemberWrite, req.Id); err != nil {
		return nil, err
	}
	list, err := s.invitations(ctx, &req.Id)
	return oas.ListInvitations200JSONResponse(list), err
}

// ListAccountInvitations implements the contract.
func (s *server) ListAccountInvitations(ctx context.Context, _ oas.ListAccountInvitationsRequestObject) (oas.ListAccountInvitationsResponseObject, error) {
	list, err := s.invitations(ctx, nil)
	return oas.ListAccountInvitations200JSONResponse(list), err
}

func (s *server) invitations(ctx context.Context, project *uuid.UUID) (oas.InvitationList, error) {
	rows, err := postgres.Invitations{Q: s.db}.List(ctx, project)
	list := oas.InvitationList{Items: make([]oas.Invitation, len(rows))}
	for i, r := range rows {
		list.Items[i] = invitationOf(r)
	}
	return list, err
}

// InviteToProject implements the contract.
func (s *server) InviteToProject(ctx context.Context, req oas.InviteToProjectRequestObject) (oas.InviteToProjectResponseObject, error) {
	who, role := httpx.Principal(ctx), account.ProjectRole(req.Body.Role)
	if err := who.May(account.MemberWrite, req.Id); err != nil {
		return nil, err
	}
	if role == account.Owner && who.In(req.Id) != account.Owner {
		return nil, errOwnersOnly
	}
	made, err := s.invite(ctx, postgres.NewInvitation{ProjectID: &req.Id, Role: &role}, req.Body.Email, req.Params.AcceptLanguage)
	return oas.InviteToProject201JSONResponse(made), err
}

// InviteToInstallation implements the contract.
func (s *server) InviteToInstallation(ctx context.Context, req oas.InviteToInstallationRequestObject) (oas.InviteToInstallationResponseObject, error) {
	made, err := s.invite(ctx, postgres.NewInvitation{}, req.Body.Email, req.Params.AcceptLanguage)
	return oas.InviteToInstallation201JSONResponse(made), err
}

// invite stores an invitation and, where the installation sends mail, sends it to the address that it is for.
func (s *server) invite(ctx context.Context, fresh postgres.NewInvitation, email, accept *string) (made oas.NewInvitation, err error) {
	who := httpx.Principal(ctx)
	if email != nil {
		clean, err := account.CleanEmail(*email)
		if err != nil {
			return made, err
		}
		fresh.Email = &clean
	}
	token, hash, err := auth.NewToken()
	if err != nil {
		return made, err
	}
	if fresh.ID, err = uuid.NewV7(); err != nil {
		return made, err //nolint:wrapcheck // only the random source can fail
	}
	fresh.Hash, fresh.By, fresh.Life = hash, who.User.ID, invitationLife
	var row postgres.InvitationRow
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		if fresh.ProjectID != nil {
			if err := (postgres.Projects{Q: q}).Hold(ctx, *fresh.ProjectID); err != nil {
				return err
			}
		}
		if row, err = (postgres.Invitations{Q: q}).Insert(ctx, fresh); err != nil {
			return err
		}
		c := aboutInvitation(audit.InvitationCreate, row)
		c.After = audit.Data{"role": row.Role, "email": row.Email, "expires_at": wire.At(row.ExpiresAt)}
		return postgres.Note(ctx, q, c)
	})
	if err != nil {
		return made, err
	}
	made = oas.NewInvitation{Invitation: invitationOf(row), Url: s.publicURL(ctx) + invitationPage + token}
	if row.Email != nil && s.outbox != nil {
		made.Mailed = s.outbox.put(inviting(language(accept), *row.Email, who.User.Username, row.ProjectName, s.publicURL(ctx)+invitationPage+token))
	}
	s.log.InfoContext(ctx, "invitation made", "invitation", row.ID, "project", row.ProjectID, "by", who.User.ID)
	return made, nil
}

// WithdrawInvitation implements the contract.
func (s *server) WithdrawInvitation(ctx context.Context, req oas.WithdrawInvitationRequestObject) (oas.WithdrawInvitationResponseObject, error) {
	if err := httpx.Principal(ctx).May(account.MemberWrite, req.Id); err != nil {
		return nil, err
	}
	return oas.WithdrawInvitation204Response{}, s.withdraw(ctx, &req.Id, req.Invitation)
}

// WithdrawAccountInvitation implements the contract.
func (s *server) WithdrawAccountInvitation(ctx context.Context, req oas.WithdrawAccountInvitationRequestObject) (oas.WithdrawAccountInvitationResponseObject, error) {
	return oas.WithdrawAccountInvitation204Response{}, s.withdraw(ctx, nil, req.Invitation)
}

func (s *server) withdraw(ctx context.Context, project *uuid.UUID, id uuid.UUID) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.Invitations{Q: q}.Delete(ctx, project, id)
		if err != nil {
			return err
		}
		c := aboutInvitation(audit.InvitationWithdraw, row)
		c.Before = audit.Data{"role": row.Role, "email": row.Email}
		return postgres.Note(ctx, q, c)
	})
}

// aboutInvitation is named after whom it is for, if it is for somebody.
func aboutInvitation(action audit.Action, row postgres.InvitationRow) audit.Change {
	c := audit.Change{Action: action, Object: audit.Of(row.ID, textOr(row.Email))}
	if row.ProjectID != nil {
		c.Project = *row.ProjectID
	}
	return c
}

// LookAtInvitation implements the contract.
func (s *server) LookAtInvitation(ctx context.Context, req oas.LookAtInvitationRequestObject) (oas.LookAtInvitationResponseObject, error) {
	row, err := postgres.Invitations{Q: s.db}.Find(ctx, auth.HashToken(req.Body.Token))
	if err != nil {
		return nil, spent(err)
	}
	return oas.LookAtInvitation200JSONResponse{
		Project: row.ProjectName, Role: (*string)(row.Role), Email: row.Email, CreatedBy: row.CreatedBy, ExpiresAt: wire.At(row.ExpiresAt),
	}, nil
}

// AcceptInvitation implements the contract.
func (s *server) AcceptInvitation(ctx context.Context, req oas.AcceptInvitationRequestObject) (oas.AcceptInvitationResponseObject, error) {
	who := httpx.Principal(ctx)
	var row postgres.InvitationRow
	err := s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		row, err = accept(ctx, q, auth.HashToken(req.Body.Token), who.User)
		if err == nil && row.ProjectID == nil {
			return fault.New(fault.Conflict, "account_already", "The invitation is for people without an account, and you have one")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(ctx, who.User.ID)
	s.log.InfoContext(ctx, "invitation accepted", "invitation", row.ID, "project", row.ProjectID, "user", who.User.ID)
	p, err := s.project(ctx, *row.ProjectID, *row.Role)
	return oas.AcceptInvitation200JSONResponse(p), err
}

// accept lets somebody in by an invitation, which is used up by that. It needs a transaction. Errors: a link that is not good
// any more, one for another address, a member who is one already.
func accept(ctx context.Context, q postgres.Querier, hash []byte, u account.User) (postgres.InvitationRow, error) {
	invitations := postgres.Invitations{Q: q}
	row, err := invitations.Find(ctx, hash)
	if err != nil {
		return row, spent(err)
	}
	if row.Email != nil && !strings.EqualFold(*row.Email, u.Email) {
		return row, errForAnother
	}
	if row.ProjectID != nil {
		projects := postgres.Projects{Q: q}
		if err := projects.Lock(ctx, *row.ProjectID); err != nil {
			return row, spent(err)
		}
		if err := projects.Join(ctx, *row.ProjectID, u.ID, *row.Role); err != nil {
			return row, err
		}
		after := audit.Data{"role": row.Role, "invitation_id": row.ID, "invited_by": row.CreatedBy}
		err := postgres.Note(ctx, q, audit.Change{Action: audit.MemberJoin, Project: *row.ProjectID, Object: audit.Of(u.ID, u.Username), After: after})
		if err != nil {
			return row, err
		}
	}
	return row, spent(invitations.Spend(ctx, hash))
}

func spent(err error) error {
	if fault.Is(err, fault.NotFound) {
		return errSpent
	}
	return err
}

// linkHash is what is stored of a link's token; nil when there is none.
func linkHash(token *string) []byte {
	if token == nil {
		return nil
	}
	return auth.HashToken(*token)
}

func invitationOf(r postgres.InvitationRow) oas.Invitation {
	return oas.Invitation{
		Id: r.ID, Role: (*string)(r.Role), Email: r.Email, CreatedBy: r.CreatedBy, CreatedAt: wire.At(r.CreatedAt), ExpiresAt: wire.At(r.ExpiresAt),
	}
}
