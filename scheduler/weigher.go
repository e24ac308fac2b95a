package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const (
	weighEvery = time.Minute
	// weighShare is how much of the time is spent with weighing at most: after a second of it come a hundred without.
	weighShare = 100
	// weighAgain is after how long also those parts are weighed of which no change was noticed.
	weighAgain = time.Hour
)

// weigher finds out how much of the disk the data of each project takes up. One scheduler at a time does it; each remembers
// what it found of the parts that have not changed since, which most weeks have not.
type weigher struct {
	db    *postgres.DB
	clock clock.Clock
	log   *slog.Logger
	known map[string]weighed // by the part's name
}

type weighed struct {
	state  string
	at     time.Time
	shares map[uuid.UUID]int64
}

func (w *weigher) step(ctx context.Context) (time.Duration, error) {
	store := postgres.Storage{Q: w.db}
	if recently, err := store.WeighedWithin(ctx, weighEvery/2); err != nil || recently {
		return weighEvery / 2, err
	}
	began := w.clock.Now()
	parts, err := store.Parts(ctx)
	if err != nil {
		return 0, err
	}
	now := make(map[string]weighed, len(parts))
	sums := map[uuid.UUID]int64{}
	for _, part := range parts {
		one, err := w.weigh(ctx, part)
		if err != nil {
			return 0, err
		}
		now[part.Name] = one
		for project, bytes := range one.shares {
			sums[project] += bytes
		}
	}
	w.known = now // without the parts that are gone
	if err := store.Set(ctx, sums); err != nil {
		return 0, err
	}
	took := w.clock.Now().Sub(began)
	w.log.DebugContext(ctx, "storage weighed", "projects", len(sums), "parts", len(parts), "took", took)
	return max(weighEvery, weighShare*took), nil
}

// weigh weighs a part, unless what is known of it still holds.
func (w *weigher) weigh(ctx context.Context, part postgres.StoragePart) (weighed, error) {
	at := w.clock.Now()
	if known, ok := w.known[part.Name]; ok && known.state == part.State && at.Sub(known.at) < weighAgain {
		return known, nil
	}
	shares, err := postgres.Storage{Q: w.db}.Weigh(ctx, part)
	if err != nil {
		return weighed{}, err
	}
	// Noted at once: when another part cannot be weighed, the next try does not begin with this one.
	if w.known == nil {
		w.known = map[string]weighed{}
	}
	w.known[part.Name] = weighed{state: part.State, at: at, shares: shares}
	return w.known[part.Name], nil
}
