package postgres_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// A worker's beats and its records touch the same rows at the same time.
func TestBeatsAndRecordsDoNotBlockEachOther(t *testing.T) {
	db := open(t, postgres.Options{Conns: 6, Keyed: true})
	_, workflow := seed(t, db)
	var ids []uuid.UUID
	var tickets []run.Ticket
	var alive []postgres.Alive
	for range 100 {
		id := newRun(t, db, workflow)
		ids, tickets, alive = append(ids, id), append(tickets, run.Ticket{ID: id}), append(alive, postgres.Alive{ID: id})
	}
	live := postgres.Live{Q: db}
	claimed, err := live.Claim(t.Context(), "w", tickets)
	must(t, err)
	if len(claimed) != len(ids) {
		t.Fatalf("%d claimed", len(claimed))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		for range 300 {
			records := make([]postgres.Record, len(ids))
			for i, at := range rand.Perm(len(ids)) { // as they come
				records[i] = postgres.Record{RunID: ids[at], Attempt: 1, Outcome: postgres.Continue}
			}
			written, err := live.Write(t.Context(), "w", records)
			if err != nil || len(written) != len(ids) {
				t.Errorf("written %d, %v", len(written), err)
				return
			}
		}
	})
	for ctx.Err() == nil {
		if _, err := live.Beat(t.Context(), "w", alive); err != nil {
			t.Error(err)
			break
		}
	}
	wg.Wait()
}
