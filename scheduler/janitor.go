package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const tidyEvery = 10 * time.Minute

// janitor removes what is of no use any more.
type janitor struct {
	db  *postgres.DB
	log *slog.Logger
}

func (j *janitor) step(ctx context.Context) (time.Duration, error) {
	keys, err := postgres.Keys{Q: j.db}.DropOld(ctx)
	if err != nil {
		return 0, err
	}
	sessions, err := postgres.Sessions{Q: j.db}.DropExpired(ctx)
	if err != nil {
		return 0, err
	}
	if keys+sessions > 0 {
		j.log.InfoContext(ctx, "tidied up", "idempotency_keys", keys, "sessions", sessions)
	}
	return tidyEvery, nil
}
