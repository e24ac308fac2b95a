package api

import (
	"context"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// workerSilence is how long ago a worker may have beaten to be shown.
const workerSilence = 15 * time.Second

// ListQueues implements the contract.
func (s *server) ListQueues(ctx context.Context, _ oas.ListQueuesRequestObject) (oas.ListQueuesResponseObject, error) {
	queues, err := s.queues(ctx)
	if err != nil {
		return nil, err
	}
	workers, err := s.workers(ctx)
	return oas.ListQueues200JSONResponse{Items: queues, Workers: workers}, err
}

// workers are those that beat, the oldest first.
func (s *server) workers(ctx context.Context) ([]oas.Worker, error) {
	rows, err := postgres.Queues{Q: s.db}.Workers(ctx, workerSilence)
	if err != nil {
		return nil, err
	}
	list := make([]oas.Worker, len(rows))
	for i, w := range rows {
		list[i] = oas.Worker{
			Name: w.Name, Version: w.Version, Slots: int32(w.Slots), Running: int32(w.Running), //nolint:gosec // a process's places
			StartedAt: wire.At(w.StartedAt), BeatAt: wire.At(w.BeatAt), Leaving: w.Leaving,
		}
	}
	return list, nil
}

// What is shown of the runs that workers have.
const (
	mostInHand     = 200
	cancelPatience = 10 * time.Second // a worker that has not ended a cancelled run by then does not get further
)

// ListWorkers implements the contract.
func (s *server) ListWorkers(ctx context.Context, _ oas.ListWorkersRequestObject) (oas.ListWorkersResponseObject, error) {
	workers, err := s.workers(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := postgres.Queues{Q: s.db}.InHand(ctx, httpx.Principal(ctx).Where(account.RunRead), workerSilence, cancelPatience, mostInHand)
	if err != nil {
		return nil, err
	}
	list := oas.ListWorkers200JSONResponse{Items: workers, Runs: make([]oas.RunInHand, len(runs))}
	for i, r := range runs {
		list.Runs[i] = oas.RunInHand{
			Worker: r.Worker, Id: r.ID, WorkflowId: r.WorkflowID, WorkflowName: r.WorkflowName, Queue: oas.RunInHandQueue(r.Queue),
			Attempt: int32(r.Attempt), Steps: r.Steps, StartedAt: wire.Maybe(r.StartedAt), BeatAt: wire.Maybe(r.BeatAt), //nolint:gosec // a count of tries
			DeadlineAt: wire.Maybe(r.DeadlineAt), CancelRequestedAt: wire.Maybe(r.CancelAt), Stuck: (*oas.RunInHandStuck)(r.Stuck),
		}
	}
	return list, nil
}

// queues are all of them, the most urgent first.
func (s *server) queues(ctx context.Context) ([]oas.Queue, error) {
	store := postgres.Queues{Q: s.db}
	rows, err := store.List(ctx, true)
	if err != nil {
		return nil, err
	}
	backlogs, err := store.Backlogs(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]oas.Queue, len(rows))
	for i, r := range rows {
		b := backlogs[r.Name]
		list[i] = oas.Queue{
			Name: oas.QueueName(r.Name), PausedAt: wire.Maybe(r.PausedAt), PausedBy: r.PausedBy,
			Due: int64(b.Due), Later: int64(b.Later), Gated: int64(b.Gated), Retries: int64(b.Retries), Held: int64(b.Held),
			Released: int64(r.Released), Running: int64(r.Running), OldestSeconds: float32(b.Oldest.Seconds()),
		}
		if r.MaxConcurrent != nil {
			n := int32(*r.MaxConcurrent) //nolint:gosec // bounded by the contract
			list[i].MaxConcurrent = &n
		}
	}
	return list, nil
}

// oneQueue answers a queue after a change.
func (s *server) oneQueue(ctx context.Context, name string, change error) (oas.OneQueueJSONResponse, error) {
	if change != nil {
		return oas.OneQueueJSONResponse{}, change
	}
	list, err := s.queues(ctx)
	if err != nil {
		return oas.OneQueueJSONResponse{}, err
	}
	for _, q := range list {
		if string(q.Name) == name {
			return oas.OneQueueJSONResponse(q), nil
		}
	}
	return oas.OneQueueJSONResponse{}, postgres.ErrNotFound
}

// PauseQueue implements the contract.
func (s *server) PauseQueue(ctx context.Context, req oas.PauseQueueRequestObject) (oas.PauseQueueResponseObject, error) {
	name := string(req.Queue)
	err := s.changeQueue(ctx, audit.QueuePause, name, nil, func(queues postgres.Queues) error {
		return queues.Pause(ctx, name, httpx.Principal(ctx).User.Username)
	})
	if err == nil {
		s.tellPaused(ctx, name, true)
	}
	one, err := s.oneQueue(ctx, name, err)
	return oas.PauseQueue200JSONResponse{OneQueueJSONResponse: one}, err
}

// ResumeQueue implements the contract.
func (s *server) ResumeQueue(ctx context.Context, req oas.ResumeQueueRequestObject) (oas.ResumeQueueResponseObject, error) {
	name := string(req.Queue)
	err := s.changeQueue(ctx, audit.QueueResume, name, nil, func(queues postgres.Queues) error { return queues.Resume(ctx, name) })
	if err == nil {
		s.tellPaused(ctx, name, false)
	}
	one, err := s.oneQueue(ctx, name, err)
	return oas.ResumeQueue200JSONResponse{OneQueueJSONResponse: one}, err
}

// tellPaused tells Redis at once; the dispatcher does so within a second in any case.
func (s *server) tellPaused(ctx context.Context, name string, paused bool) {
	if err := s.queue.SetPaused(ctx, map[string]bool{name: paused}); err != nil {
		s.log.DebugContext(ctx, "pause not told", "queue", name, "error", err)
	}
}

// LimitQueue implements the contract.
func (s *server) LimitQueue(ctx context.Context, req oas.LimitQueueRequestObject) (oas.LimitQueueResponseObject, error) {
	name := string(req.Queue)
	most := number(req.Body.MaxConcurrent)
	one, err := s.oneQueue(ctx, name, s.changeQueue(ctx, audit.QueueLimit, name, audit.Data{"max_concurrent": most}, func(queues postgres.Queues) error {
		return queues.Limit(ctx, name, most)
	}))
	return oas.LimitQueue200JSONResponse{OneQueueJSONResponse: one}, err
}

// LimitProject implements the contract.
func (s *server) LimitProject(ctx context.Context, req oas.LimitProjectRequestObject) (oas.LimitProjectResponseObject, error) {
	most := number(req.Body.MaxConcurrent)
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Queues{Q: q}).LimitProject(ctx, req.Id, most); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.ProjectLimit, Project: req.Id, Object: audit.Of(req.Id, ""), After: audit.Data{"max_concurrent": most},
		})
	})
	return oas.LimitProject200JSONResponse(*req.Body), err
}

// changeQueue changes a queue and notes it.
func (s *server) changeQueue(ctx context.Context, action audit.Action, name string, after audit.Data, change func(postgres.Queues) error) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := change(postgres.Queues{Q: q}); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: action, Object: audit.Named(name), After: after})
	})
}

func number[N int32 | int64](n *N) *int {
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}
