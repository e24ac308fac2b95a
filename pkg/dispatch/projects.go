package dispatch

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// DeleteProject deletes a project with everything in it, and answers who was in it. While runs of it have not finished that
// is a conflict, unless end asks to cancel them.
func (s *Service) DeleteProject(ctx context.Context, who account.Principal, id uuid.UUID, end bool) (members []postgres.MemberRow, err error) {
	if err := who.May(account.ProjectDelete, id); err != nil {
		return nil, err
	}
	reason := "the project was deleted by " + who.User.Username
	var live []uuid.UUID
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		projects := postgres.Projects{Q: q}
		// Whoever makes something in the project holds it meanwhile, so that nothing is made after this.
		if err := projects.Lock(ctx, id); err != nil {
			return err
		}
		if members, err = projects.Members(ctx, id); err != nil {
			return err
		}
		if !owns(members, who.User.ID) {
			return fault.New(fault.Forbidden, "role_forbids", "You are no owner of this project any more")
		}
		if live, err = s.empty(ctx, q, id, who.User.Username, reason); err != nil {
			return err
		}
		// Counted after the workflows are locked: no run of theirs begins any more.
		unfinished, err := projects.Live(ctx, id)
		if err != nil {
			return err
		}
		if unfinished > 0 && !end {
			return fault.New(fault.Conflict, "runs_live", "%d runs of the project have not finished; wait for them, or ask for them to be ended", unfinished)
		}
		row, err := projects.Get(ctx, []uuid.UUID{id}, id)
		if err != nil {
			return err
		}
		if err := projects.Bury(ctx, id); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.ProjectDelete, Project: id, Object: audit.Of(id, row.Name),
			Before: audit.Data{"name": row.Name, "members": len(members)}, After: audit.Data{"runs_cancelled": unfinished},
		})
	})
	if err != nil {
		return nil, err
	}
	return members, s.CancelRuns(ctx, live, reason)
}

func owns(members []postgres.MemberRow, user uuid.UUID) bool {
	for _, m := range members {
		if m.UserID == user {
			return m.Role == account.Owner
		}
	}
	return false
}

// empty removes the workflows of a project, and answers their runs that are to end.
func (s *Service) empty(ctx context.Context, q postgres.Querier, project uuid.UUID, by, reason string) (live []uuid.UUID, err error) {
	ids, err := postgres.Projects{Q: q}.Workflows(ctx, project)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		row, err := postgres.Workflows{Q: q}.Lock(ctx, []uuid.UUID{project}, id)
		if err != nil {
			return nil, err
		}
		ended, err := s.remove(ctx, q, row, by, reason)
		if err != nil {
			return nil, err
		}
		live = append(live, ended...)
	}
	return live, nil
}
