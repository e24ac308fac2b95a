package api

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// mostVersions is how many versions are remembered.
const mostVersions = 1000

// versions remembers the steps of versions that runs were shown with: a version never changes, and a list of live runs
// asks for the same few again and again.
type versions struct {
	db *postgres.DB

	mu    sync.Mutex
	steps map[version][]workflow.Step
}

type version struct {
	workflow uuid.UUID
	number   int
}

func newVersions(db *postgres.DB) *versions {
	return &versions{db: db, steps: map[version][]workflow.Step{}}
}

// stepsOf answers the steps of a version. They are shared and must not be changed.
func (v *versions) stepsOf(ctx context.Context, id uuid.UUID, number int) ([]workflow.Step, error) {
	key := version{id, number}
	v.mu.Lock()
	steps, ok := v.steps[key]
	v.mu.Unlock()
	if ok {
		return steps, nil
	}
	row, err := postgres.Workflows{Q: v.db}.Version(ctx, id, number)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.steps) >= mostVersions {
		clear(v.steps) // what is in use comes back
	}
	v.steps[key] = row.Definition.Steps
	return row.Definition.Steps, nil
}
