package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

const (
	// dispatchEvery is how long a run can stay unnoticed when its notification is lost.
	dispatchEvery = time.Second
	// refillEvery is the time between two looks at a queue that is full, while more waits for it.
	refillEvery = 10 * time.Millisecond
	// limitedEvery is the time between two looks when runs wait for nothing but the limit of their project or queue.
	limitedEvery = 50 * time.Millisecond

	// The queues are kept at twice to four times what the workers can do at a time: long enough that no worker waits, short
	// enough that the order of turns, a pause and a change of mind mean something.
	fewest, most = 2, 4
	// leastRoom is the room of a queue when there are few workers, or none yet.
	leastRoom = 100
	// largestRoom bounds what one statement releases.
	largestRoom = 2000
)

// dispatcher hands runs to the queue whose turn has come: those for which there was no room when they were made, retries
// whose time has come, and runs that the queue lost. Who waits stands in PostgreSQL; a queue is short.
type dispatcher struct {
	concurrent int // runs of a project at work at once, where nothing was decided about it; 0: any number
	db         *postgres.DB
	queue      *queue.Client
	log        *slog.Logger
	clock      clock.Clock
	grace      time.Duration
	lostAfter  time.Duration
	wake       chan struct{}

	after    map[string]uuid.UUID // by queue: the project that the next turn begins behind
	slots    int                  // of all workers
	lookedAt time.Time            // when look did something
	away     bool                 // Redis was, at the last step
}

func (d *dispatcher) step(ctx context.Context) (time.Duration, error) {
	live := postgres.Live{Q: d.db}
	for opened := int64(1); opened > 0; { // behind a trigger's gate there may be one of the workflow
		var err error
		if opened, err = live.OpenGates(ctx); err != nil {
			return 0, err
		}
	}
	queues, err := postgres.Queues{Q: d.db}.List(ctx, d.away)
	if err != nil {
		return 0, err
	}
	if err := d.look(ctx, queues); err != nil {
		return 0, err
	}
	pending, err := d.pending(ctx, queues)
	if err != nil {
		return 0, err
	}
	moving := false // a queue that is not limited got something, and may get more as soon as it has room
	granted := make(map[string]int, len(queues))
	for _, q := range queues {
		granted[q.Name] = 0
		if q.PausedAt != nil {
			continue
		}
		room := d.room(q, pending[q.Name])
		released, err := d.release(ctx, q.Name, room)
		if err != nil {
			return 0, err
		}
		if q.MaxConcurrent == nil {
			moving = moving || released > 0 || room == 0
			if d.concurrent == 0 { // else runs are counted when they are released, by us alone
				granted[q.Name] = d.target()
			}
		}
	}
	return d.next(ctx, queues, granted, moving)
}

// next grants room to queues in which nobody waits, and answers when the next step is worth it.
func (d *dispatcher) next(ctx context.Context, queues []postgres.QueueRow, granted map[string]int, moving bool) (time.Duration, error) {
	waits, err := postgres.Live{Q: d.db}.NextDue(ctx, dispatchEvery)
	if err != nil {
		return 0, err
	}
	pause := dispatchEvery
	for _, q := range queues {
		wait, due := waits[q.Name]
		switch {
		case !due || q.PausedAt != nil:
			continue
		case wait > 0:
			pause = min(pause, max(wait, shortestPause))
			continue
		case moving:
			pause = min(pause, refillEvery)
		default:
			pause = min(pause, limitedEvery)
		}
		granted[q.Name] = 0
	}
	if !d.away {
		if err := d.queue.Grant(ctx, granted); err != nil {
			d.log.DebugContext(ctx, "room not granted", "error", err)
		}
	}
	return pause, nil
}

// look does what is needed once in a while only: it reads how much the workers can do, hands out what the queue has
// forgotten, and tells Redis which queues are paused.
func (d *dispatcher) look(ctx context.Context, queues []postgres.QueueRow) error {
	now := d.clock.Now()
	if now.Sub(d.lookedAt) < dispatchEvery {
		return nil
	}
	var err error
	if d.slots, err = (postgres.Queues{Q: d.db}).Slots(ctx, d.lostAfter); err != nil {
		return err
	}
	forgotten, err := postgres.Live{Q: d.db}.Retake(ctx, d.grace, largestRoom)
	if err != nil {
		return err
	}
	d.lookedAt = now
	if d.away {
		return nil
	}
	paused := make(map[string]bool, len(queues))
	for _, q := range queues {
		paused[q.Name] = q.PausedAt != nil
	}
	if err := d.queue.SetPaused(ctx, paused); err != nil {
		d.log.DebugContext(ctx, "pauses not told", "error", err)
	}
	return d.handOut(ctx, forgotten)
}

// pending is how many runs of each queue are released and not taken. With Redis away the released runs themselves are
// counted: the workers take them from the database.
func (d *dispatcher) pending(ctx context.Context, queues []postgres.QueueRow) (map[string]int, error) {
	pending, err := d.queue.Pending(ctx)
	if err == nil {
		if d.away {
			d.log.InfoContext(ctx, "Redis is back")
			d.away = false
			// Whatever was released meanwhile and nobody took has no ticket.
			_, err = postgres.Live{Q: d.db}.ForgetEnqueued(ctx)
		}
		return pending, err
	}
	if !d.away {
		d.log.WarnContext(ctx, "Redis is away; the workers take runs from the database", "error", err)
		d.away = true
	}
	pending = make(map[string]int, len(queues))
	for _, q := range queues {
		pending[q.Name] = q.Released
	}
	return pending, nil
}

// target is how many tickets a queue should have.
func (d *dispatcher) target() int { return max(fewest*d.slots, leastRoom) }

// room is how many runs of the queue may be released now: none before it has become short.
func (d *dispatcher) room(q postgres.QueueRow, pending int) int {
	room := 0
	if pending < d.target() {
		room = min(d.target()*most/fewest-pending, largestRoom)
	}
	if q.MaxConcurrent != nil {
		room = min(room, *q.MaxConcurrent-q.Released-q.Running)
	}
	return max(room, 0)
}

// release releases up to room runs of the queue and hands out their tickets.
func (d *dispatcher) release(ctx context.Context, queue string, room int) (int, error) {
	if room == 0 {
		return 0, nil
	}
	released, err := postgres.Live{Q: d.db, Concurrent: d.concurrent}.Release(ctx, queue, d.after[queue], room)
	if err != nil {
		return 0, err
	}
	tickets := make([]run.Ticket, len(released))
	var last uuid.UUID
	projects := map[uuid.UUID]bool{}
	for i, r := range released {
		tickets[i] = r.Ticket
		projects[r.ProjectID] = true
		if last.String() < r.ProjectID.String() {
			last = r.ProjectID
		}
	}
	if d.after[queue] = uuid.Nil; len(projects) >= postgres.MostProjects {
		d.after[queue] = last
	}
	return len(released), d.handOut(ctx, tickets)
}

// handOut places tickets. Those that Redis does not take are released again, unless it is away altogether.
func (d *dispatcher) handOut(ctx context.Context, tickets []run.Ticket) error {
	if len(tickets) == 0 || d.away {
		return nil
	}
	refused := d.queue.Promote(ctx, tickets)
	if len(refused) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(refused))
	for i, t := range refused {
		ids[i] = t.ID
	}
	return postgres.Live{Q: d.db}.NotEnqueued(ctx, ids)
}
