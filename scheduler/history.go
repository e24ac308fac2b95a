package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const (
	// weeksAhead is how far ahead the partitions of runs are made: as long as all schedulers may be away.
	weeksAhead = 4
	// historyBatch is how many runs one statement removes.
	historyBatch = 1000
	// historyRound bounds what one step removes.
	historyRound = 200_000
)

// Keep is how long finished runs are kept.
type Keep struct {
	Runs      time.Duration `default:"2160h" env:"ORQ_RUN_RETENTION" help:"How long runs with their steps and logs are kept: 90 days unless set. They go by the week."`
	Succeeded time.Duration `default:"0s" env:"ORQ_KEEP_SUCCEEDED" help:"How long runs that succeeded are kept, when shorter than ORQ_RUN_RETENTION; 0 for as long."`
	Failed    time.Duration `default:"0s" env:"ORQ_KEEP_FAILED" help:"How long runs that failed or were cancelled are kept, when shorter; 0 for as long."`
}

// historian keeps what ran: it makes the weeks to come, and removes what is past its time.
type historian struct {
	db   *postgres.DB
	log  *slog.Logger
	keep Keep
}

func (h *historian) step(ctx context.Context) (time.Duration, error) {
	store := postgres.Retention{Q: h.db}
	made, err := store.MakeWeeks(ctx, weeksAhead)
	if err != nil {
		return 0, err
	}
	dropped := 0
	if h.keep.Runs > 0 {
		if dropped, err = store.DropWeeks(ctx, h.keep.Runs); err != nil {
			return 0, err
		}
	}
	var removed int64
	for n := int64(historyBatch); n >= historyBatch && removed < historyRound; removed += n {
		if n, err = store.DropRuns(ctx, postgres.Old{Succeeded: h.keep.Succeeded, Failed: h.failed()}, historyBatch); err != nil {
			return 0, err
		}
	}
	if made+dropped > 0 || removed > 0 {
		h.log.InfoContext(ctx, "history kept", "partitions_made", made, "partitions_dropped", dropped, "runs_removed", removed)
	}
	return tidyEvery, nil
}

// failed also covers the list of unsuccessful runs, which no week takes with it.
func (h *historian) failed() time.Duration {
	if h.keep.Failed > 0 {
		return h.keep.Failed
	}
	if h.keep.Runs > 0 {
		return h.keep.Runs + 7*24*time.Hour // by then their week is gone
	}
	return 0
}
