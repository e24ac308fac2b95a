package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// runEar hears that a run changed.
type runEar struct {
	hooks *hooks
	ear   *subscriber
	end   func()
}

// close stops listening; nobody may have begun.
func (e *runEar) close() {
	if e != nil {
		e.end()
	}
}

// listen begins to listen before there is the run, so that nothing is missed.
func (h *hooks) listen(project, id uuid.UUID) *runEar {
	ear := &subscriber{projects: []uuid.UUID{project}, runs: []uuid.UUID{id}, changed: map[uuid.UUID]bool{}, wake: make(chan struct{}, 1)}
	return &runEar{hooks: h, ear: ear, end: h.server.hub.subscribe(ear)}
}

// wait answers the run once it has ended; nil when it takes longer.
func (e *runEar) wait(ctx context.Context, id uuid.UUID, most time.Duration) *postgres.Ended {
	clock := e.hooks.server.clock
	ctx, cancel := context.WithTimeout(ctx, most+streamLook)
	defer cancel()
	over := clock.After(most)
	for {
		if ended := e.look(ctx, id); ended != nil {
			return ended
		}
		select {
		case <-e.ear.wake:
		case <-clock.After(streamLook): // a word may be lost
		case <-over:
			return e.look(ctx, id)
		case <-e.hooks.stopping.Done():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// look answers the run if it has ended.
func (e *runEar) look(ctx context.Context, id uuid.UUID) *postgres.Ended {
	e.ear.take()
	runs, err := postgres.Runs{Q: e.hooks.server.db}.Ended(ctx, []uuid.UUID{id}, 0, workflow.MaxInputs)
	if err != nil {
		return nil
	}
	ended, ok := runs[id]
	if !ok || !ended.Status.Finished() {
		return nil
	}
	return &ended
}
