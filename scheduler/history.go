package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

const (
	// weeksAhead is how far ahead the partitions of runs are made: as long as all schedulers may be away.
	weeksAhead = 4
	// historyBatch is how many runs one statement removes.
	historyBatch = 1000
	// historyRound bounds what one step removes.
	historyRound = 200_000
	// countBatch is how many counts one statement joins or removes.
	countBatch = 5000
)

// Keep is how long finished runs are kept.
type Keep struct {
	Runs      time.Duration `default:"2160h" env:"ORQ_RUN_RETENTION" help:"How long runs with their steps and logs are kept: 90 days unless set. They go by the week."`
	Succeeded time.Duration `default:"0s" env:"ORQ_KEEP_SUCCEEDED" help:"How long runs that succeeded are kept, when shorter than ORQ_RUN_RETENTION; 0 for as long."`
	Failed    time.Duration `default:"0s" env:"ORQ_KEEP_FAILED" help:"How long runs that failed or were cancelled are kept, when shorter; 0 for as long."`
	Stats     time.Duration `default:"9600h" env:"ORQ_STATS_RETENTION" help:"How long it is kept how many runs there were, how they ended and how long they took: 400 days unless set; 0 for ever."`
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
	// By then the week is gone, unless a run of it has not finished.
	for n := int64(historyBatch); h.keep.Runs > 0 && n == historyBatch; {
		if n, err = store.DropChildren(ctx, h.keep.Runs+workflow.MaxRunTimeout, historyBatch); err != nil {
			return 0, err
		}
	}
	for n := int64(historyBatch); h.keep.Runs > 0 && n == historyBatch; {
		if n, err = store.DropApprovals(ctx, h.keep.Runs+workflow.MaxRunTimeout, historyBatch); err != nil {
			return 0, err
		}
	}
	if err := h.tidyCounts(ctx, store); err != nil {
		return 0, err
	}
	if made+dropped > 0 || removed > 0 {
		h.log.InfoContext(ctx, "history kept", "partitions_made", made, "partitions_dropped", dropped, "runs_removed", removed)
	}
	return tidyEvery, nil
}

// tidyCounts joins the counts of hours that have passed, and forgets those of long ago.
func (h *historian) tidyCounts(ctx context.Context, store postgres.Retention) (err error) {
	for n, sum := int64(countBatch), int64(0); n == countBatch && sum < historyRound; sum += n {
		if n, err = store.JoinCounts(ctx, countBatch); err != nil {
			return err
		}
	}
	for n, sum := int64(countBatch), int64(0); h.keep.Stats > 0 && n == countBatch && sum < historyRound; sum += n {
		if n, err = store.DropCounts(ctx, h.keep.Stats, countBatch); err != nil {
			return err
		}
	}
	return nil
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
