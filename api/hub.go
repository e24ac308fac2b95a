package api

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// hub tells live streams which runs changed. What it hears through Redis are hints; the streams read the truth from
// PostgreSQL, and look by themselves now and then, so that nothing stays unseen when a hint is lost or Redis is away.
type hub struct {
	db    *postgres.DB
	queue *queue.Client
	clock clock.Clock
	log   *slog.Logger
	runs  runView

	mu      sync.Mutex
	streams map[*subscriber]bool
}

// subscriber is a live stream's ear.
type subscriber struct {
	projects []uuid.UUID
	all      bool // every run of the projects
	runs     []uuid.UUID
	of       []uuid.UUID // workflows

	mu      sync.Mutex
	changed map[uuid.UUID]bool
	lost    bool // more changed than can be told one by one
	wake    chan struct{}
}

// mostChanged is how many changed runs a stream remembers before it tells its client to look again at everything.
const mostChanged = 1000

func newHub(db *postgres.DB, q *queue.Client, runs runView, clk clock.Clock, log *slog.Logger) *hub {
	return &hub{db: db, queue: q, clock: clk, log: log, runs: runs, streams: map[*subscriber]bool{}}
}

// run listens until stop ends.
func (h *hub) run(stop context.Context) error {
	h.queue.Changes(stop, h.deliver)
	return nil
}

func (h *hub) deliver(changes []run.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.streams {
		s.hear(changes)
	}
}

func (h *hub) subscribe(s *subscriber) (unsubscribe func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams[s] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams, s)
	}
}

// hear notes the changes that concern the stream.
func (s *subscriber) hear(changes []run.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := false
	for _, c := range changes {
		if !slices.Contains(s.projects, c.ProjectID) || !s.concerns(c) {
			continue
		}
		heard = true
		if len(s.changed) >= mostChanged {
			s.lost = true
			break
		}
		s.changed[c.RunID] = true
	}
	if heard {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

func (s *subscriber) concerns(c run.Change) bool {
	return s.all || slices.Contains(s.runs, c.RunID) || slices.Contains(s.of, c.WorkflowID)
}

// take answers what changed since the last call.
func (s *subscriber) take() (changed []uuid.UUID, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.changed {
		changed = append(changed, id)
	}
	lost = s.lost
	s.changed, s.lost = map[uuid.UUID]bool{}, false
	slices.SortFunc(changed, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return changed, lost
}

const (
	// streamPause is the shortest time between two looks of a stream, so that a busy run does not become a busy loop.
	streamPause = 100 * time.Millisecond
	// streamLook is how often a stream looks by itself.
	streamLook = 2 * time.Second
	// streamBeat is how often an idle stream shows that it is alive.
	streamBeat = 15 * time.Second
)
