package worker

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// news tells those who watch what changed, beside the work: no run waits for it. What gathers while something is being told
// is told together, each run once.
type news struct {
	queue *queue.Client

	mu      sync.Mutex
	pending map[uuid.UUID]run.Change
	telling bool
}

func (n *news) add(ctx context.Context, changes []run.Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pending == nil {
		n.pending = make(map[uuid.UUID]run.Change, len(changes))
	}
	for _, c := range changes {
		n.pending[c.RunID] = c
	}
	if !n.telling && len(n.pending) > 0 {
		n.telling = true
		go n.tell(context.WithoutCancel(ctx))
	}
}

func (n *news) tell(ctx context.Context) {
	for {
		n.mu.Lock()
		if len(n.pending) == 0 {
			n.telling = false
			n.mu.Unlock()
			return
		}
		changes := make([]run.Change, 0, len(n.pending))
		for _, c := range n.pending {
			changes = append(changes, c)
		}
		n.pending = nil
		n.mu.Unlock()
		n.queue.Announce(ctx, changes)
	}
}
