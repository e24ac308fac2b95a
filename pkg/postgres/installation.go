package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// InstallationProject is a project as administrators see it: nothing of what is in it.
type InstallationProject struct {
	ID          uuid.UUID `db:"id"`
	Name        string    `db:"name"`
	Owners      []string  `db:"owners"` // usernames, the first ten
	Members     int       `db:"members"`
	CreatedAt   time.Time `db:"created_at"`
	EgressAllow []string  `db:"egress_allow"`
}

// ProjectFilter narrows a list of all projects; zero values do not.
type ProjectFilter struct {
	Search string     // part of the name or of an owner's
	Before *uuid.UUID // keyset: only projects whose id is lower
	Limit  int
}

// All lists the projects of the installation.
func (s Projects) All(ctx context.Context, f ProjectFilter) ([]InstallationProject, error) {
	rows, err := s.Q.Query(ctx, `
		select p.id, p.name, p.created_at, p.egress_allow,
		       (select count(*) from project_members m where m.project_id = p.id) as members,
		       array(select u.username from project_members m join users u on u.id = m.user_id
		              where m.project_id = p.id and m.role = 'owner' order by m.created_at, u.username limit 10) as owners
		  from projects p
		 where p.deleted_at is null and (@before::uuid is null or p.id < @before)
		   and (@search = '' or position(lower(@search) in lower(p.name)) > 0
		        or exists (select from project_members m join users u on u.id = m.user_id
		                    where m.project_id = p.id and m.role = 'owner' and position(lower(@search) in lower(u.username)) > 0))
		 order by p.id desc limit @limit`, args{"before": f.Before, "search": f.Search, "limit": f.Limit})
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[InstallationProject])
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return list, nil
}
