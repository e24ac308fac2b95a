package worker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/batch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

const recordBatch = 250

// recorder writes what a worker has to say, many runs in one commit.
type recorder struct {
	worker  string
	db      *postgres.DB
	news    news
	log     *slog.Logger
	claims  *batch.Batcher[run.Ticket, *postgres.Claimed]
	records *batch.Batcher[entry, bool]
}

// entry is a record with what is announced once it is written.
type entry struct {
	postgres.Record
	change run.Change
	tell   bool // the dispatcher may have something to do once this is written
}

func newRecorder(worker string, db *postgres.DB, q *queue.Client, log *slog.Logger) *recorder {
	r := &recorder{worker: worker, db: db, news: news{queue: q}, log: log}
	r.claims = batch.New(recordBatch, r.claimAll)
	r.records = batch.New(recordBatch, r.writeAll)
	return r
}

// claim takes the run of a ticket; nil when it is not to be had.
func (r *recorder) claim(ctx context.Context, t run.Ticket) (*postgres.Claimed, error) {
	return r.claims.Do(ctx, t)
}

func (r *recorder) claimAll(ctx context.Context, tickets []run.Ticket) ([]*postgres.Claimed, error) {
	claimed, err := postgres.Live{Q: r.db}.Claim(ctx, r.worker, tickets)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	byID := make(map[uuid.UUID]*postgres.Claimed, len(claimed))
	changes := make([]run.Change, len(claimed))
	for i := range claimed {
		c := &claimed[i]
		byID[c.ID] = c
		changes[i] = changeOf(*c)
	}
	r.news.add(ctx, changes)
	out := make([]*postgres.Claimed, len(tickets))
	for i, t := range tickets {
		out[i] = byID[t.ID]
		delete(byID, t.ID) // the same ticket twice in a batch is one claim
	}
	return out, nil
}

// write records; errLost when the run is not this worker's any more.
func (r *recorder) write(ctx context.Context, e entry) error {
	ok, err := r.records.Do(context.WithoutCancel(ctx), e)
	if err != nil {
		return err
	}
	if !ok {
		return errLost
	}
	return nil
}

func (r *recorder) writeAll(ctx context.Context, entries []entry) ([]bool, error) {
	records := make([]postgres.Record, len(entries))
	for i, e := range entries {
		records[i] = e.Record
	}
	written, err := postgres.Live{Q: r.db}.Write(ctx, r.worker, records)
	if err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	out := make([]bool, len(entries))
	changes := make([]run.Change, 0, len(entries))
	tell := false
	var parents []uuid.UUID
	for i, e := range entries {
		w, ok := written[e.RunID]
		out[i] = ok
		if ok && w.Parent != nil {
			parents = append(parents, *w.Parent)
		}
		if ok {
			changes = append(changes, e.change)
			tell = tell || e.tell
		}
	}
	r.news.add(ctx, changes)
	if len(parents) > 0 {
		// They look by themselves now and then.
		if err := (postgres.Live{Q: r.db}).Nudge(ctx, parents); err != nil {
			r.log.DebugContext(ctx, "parents not nudged", "error", err)
		}
	}
	if tell {
		// A word lost costs a second.
		if err := postgres.Notify(ctx, r.db, postgres.DueChannel); err != nil {
			r.log.DebugContext(ctx, "dispatcher not told", "error", err)
		}
	}
	return out, nil
}

func changeOf(c postgres.Claimed) run.Change {
	return run.Change{RunID: c.ID, WorkflowID: c.WorkflowID, ProjectID: c.ProjectID}
}
