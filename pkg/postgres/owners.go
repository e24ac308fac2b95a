package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Owners finds out in which project something is.
type Owners struct{ Q Querier }

// owners are the statements that do, by the kind of the object as the API's paths name it.
var owners = map[string]string{
	"alert-channels": `select project_id from alert_channels where id = $1 and project_id = any($2)`,
	"alert-rules":    `select project_id from alert_rules where id = $1 and project_id = any($2)`,
	"alerts":         `select project_id from alerts where id = $1 and project_id = any($2)`,
	"approvals":      `select project_id from approvals where id = $1 and project_id = any($2)`,
	"backfills":      `select project_id from backfills where id = $1 and project_id = any($2)`,
	"calendars":      `select project_id from calendars where id = $1 and project_id = any($2)`,
	"deliveries":     `select project_id from deliveries where id = $1 and project_id = any($2)`,
	"projects":       `select id from projects where id = $1 and id = any($2)`,
	"runs":           `select project_id from runs where id = $1 and project_id = any($2)`,
	"step-tests":     `select project_id from step_tests where id = $1 and project_id = any($2)`,
	"workflows":      `select project_id from workflows where id = $1 and project_id = any($2) and deleted_at is null`,
}

// Of finds which of the projects an object is in; ErrNotFound when it is in none.
func (s Owners) Of(ctx context.Context, projects []uuid.UUID, kind string, id uuid.UUID) (project uuid.UUID, err error) {
	statement, ok := owners[kind]
	if !ok {
		return project, ErrNotFound
	}
	if err := s.Q.QueryRow(ctx, statement, id, projects).Scan(&project); err != nil {
		return project, fmt.Errorf("find whose it is: %w", translate(err))
	}
	return project, nil
}
