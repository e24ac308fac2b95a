package dispatch

import (
	"context"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

// rotateBatch is how many secrets are wrapped anew in one transaction.
const rotateBatch = 100

// Unopened is a secret that could not be wrapped anew, and why.
type Unopened struct {
	postgres.SealedRow
	Err error
}

// RotateSecrets wraps every secret that another key sealed in the key that seals now. It answers how many it did, and those
// that it cannot open; it can be called again, while everything runs.
func RotateSecrets(ctx context.Context, db *postgres.DB, keys *secret.Keyring) (done int, left []Unopened, err error) {
	var after postgres.SealedRow
	for more := true; more; {
		err := db.InTx(ctx, func(q postgres.Querier) error {
			secrets := postgres.Secrets{Q: q}
			rows, err := secrets.Stale(ctx, keys.KeyID(), after, rotateBatch)
			if err != nil {
				return err
			}
			more = len(rows) == rotateBatch
			before := done
			for _, row := range rows {
				after = row
				if row.Sealed, err = keys.Rewrap(row.ProjectID, row.Name, row.Sealed); err != nil {
					left = append(left, Unopened{SealedRow: row, Err: err})
					continue
				}
				if err := secrets.Reseal(ctx, row, keys.KeyID()); err != nil {
					return err
				}
				done++
			}
			if done == before {
				return nil
			}
			return postgres.Note(ctx, q, audit.Change{Action: audit.SecretsRotate, After: audit.Data{"sealed": done - before, "key_id": keys.KeyID()}})
		})
		if err != nil {
			return done, left, fmt.Errorf("rotate secrets: %w", err)
		}
	}
	return done, left, nil
}
