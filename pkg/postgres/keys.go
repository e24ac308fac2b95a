package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Keys is the store of the idempotency keys that callers send.
type Keys struct{ Q Querier }

// KeyLife is how long a key is remembered.
const KeyLife = 24 * time.Hour

// Reserve notes that a user's key stands for a run, and answers the run that it stands for: runID, or the one of an
// earlier request. A request that is not the same as the earlier one is refused. It waits for another transaction that
// is reserving the same key.
func (s Keys) Reserve(ctx context.Context, user uuid.UUID, key string, hash []byte, runID uuid.UUID) (uuid.UUID, error) {
	tag, err := s.Q.Exec(ctx, `
		insert into idempotency_keys (user_id, key, request_hash, run_id) values ($1, $2, $3, $4)
		    on conflict (user_id, key) do update
		   set request_hash = excluded.request_hash, run_id = excluded.run_id, created_at = now()
		 where idempotency_keys.created_at < now() - make_interval(secs => $5)`, user, key, hash, runID, KeyLife.Seconds())
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("reserve idempotency key: %w", translate(err))
	}
	if tag.RowsAffected() == 1 {
		return runID, nil
	}
	var first uuid.UUID
	var firstHash []byte
	err = s.Q.QueryRow(ctx, `select run_id, request_hash from idempotency_keys where user_id = $1 and key = $2`, user, key).Scan(&first, &firstHash)
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("find idempotency key: %w", translate(err))
	}
	if !bytes.Equal(hash, firstHash) {
		return uuid.UUID{}, fault.New(fault.Invalid, "idempotency_key_reused", "That Idempotency-Key was used for a different request")
	}
	return first, nil
}

// DropOld forgets keys that are older than KeyLife.
func (s Keys) DropOld(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from idempotency_keys where created_at < now() - make_interval(secs => $1)`, KeyLife.Seconds())
	if err != nil {
		return 0, fmt.Errorf("drop old idempotency keys: %w", err)
	}
	return tag.RowsAffected(), nil
}
