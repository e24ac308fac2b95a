package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const tidyEvery = 10 * time.Minute

// janitor removes what is of no use any more.
type janitor struct {
	db     *postgres.DB
	log    *slog.Logger
	keep   time.Duration // how long the ledger is kept
	audit  time.Duration // how long the audit log is kept; 0: for ever
	ledger uuid.UUID     // the last trigger whose ledger was looked at
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
	if err := (postgres.Invitations{Q: j.db}).DropExpired(ctx); err != nil {
		return 0, err
	}
	tokens, err := postgres.APITokens{Q: j.db}.DropExpired(ctx)
	if err != nil {
		return 0, err
	}
	tests, err := postgres.StepTests{Q: j.db}.DropOld(ctx)
	if err != nil {
		return 0, err
	}
	backfills, err := j.tidyBackfills(ctx)
	if err != nil {
		return 0, err
	}
	fires, err := j.tidyLedger(ctx)
	if err != nil {
		return 0, err
	}
	drafted, err := postgres.Drafts{Q: j.db}.DropKept(ctx, draftRows)
	if err != nil {
		return 0, err
	}
	if err := (postgres.Queues{Q: j.db}).DropSilent(ctx, tidyEvery); err != nil {
		return 0, err
	}
	deliveries, err := j.tidyHooks(ctx)
	if err != nil {
		return 0, err
	}
	alerts, err := j.tidyAlerts(ctx)
	if err != nil {
		return 0, err
	}
	if err := j.cutAudit(ctx); err != nil {
		return 0, err
	}
	if keys+sessions+tokens+tests+backfills+fires+deliveries+drafted+alerts > 0 {
		j.log.InfoContext(ctx, "tidied up", "idempotency_keys", keys, "delivery_keys", deliveries, "sessions", sessions, "api_tokens", tokens, "step_tests", tests, "backfills", backfills, "occurrences", fires, "drafts", drafted, "alerts", alerts)
	}
	return tidyEvery, nil
}

const (
	ledgerTriggers = 500    // triggers in one statement
	ledgerRows     = 5000   // rows that one statement removes at most
	ledgerRound    = 50_000 // triggers in one step; the next goes on with the others
	draftRows      = 5000   // definitions that only runs of drafts ran; the next step goes on with the others
	backfillRows   = 20     // backfills that one statement removes at most, each with up to 10,000 fires
)

// tidyLedger forgets what the ledger has of long ago, and when triggers were off then. It goes from trigger to trigger,
// so that it needs no index of its own.
func (j *janitor) tidyLedger(ctx context.Context) (gone int64, err error) {
	before, err := j.horizon(ctx)
	if err != nil {
		return 0, err
	}
	for range ledgerRound / ledgerTriggers {
		ids, err := postgres.Triggers{Q: j.db}.IDsAfter(ctx, j.ledger, ledgerTriggers)
		if err != nil {
			return gone, err
		}
		for n := int64(ledgerRows); n == ledgerRows; gone += n {
			if n, err = (postgres.Occurrences{Q: j.db}).DropOld(ctx, ids, before, ledgerRows); err != nil {
				return gone, err
			}
		}
		if _, err := (postgres.Pauses{Q: j.db}).DropOld(ctx, ids, before); err != nil {
			return gone, err
		}
		if len(ids) < ledgerTriggers {
			j.ledger = uuid.UUID{}
			return gone, nil
		}
		j.ledger = ids[len(ids)-1]
	}
	return gone, nil
}

const (
	keyRows  = 5000    // delivery keys that one statement removes at most
	keyRound = 500_000 // in one step
)

// tidyHooks forgets old addresses of triggers, and keys of deliveries that have expired. The deliveries go with the weeks of
// their runs.
func (j *janitor) tidyHooks(ctx context.Context) (gone int64, err error) {
	if _, err := (postgres.Addresses{Q: j.db}).DropExpired(ctx); err != nil {
		return 0, err
	}
	for n := int64(keyRows); n == keyRows && gone < keyRound; gone += n {
		if n, err = (postgres.Deliveries{Q: j.db}).DropKeys(ctx, keyRows); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// tidyBackfills forgets backfills that ended long ago; their runs stay.
func (j *janitor) tidyBackfills(ctx context.Context) (gone int64, err error) {
	before, err := j.horizon(ctx)
	if err != nil {
		return 0, err
	}
	for n := int64(backfillRows); n == backfillRows; gone += n {
		if n, err = (postgres.Backfills{Q: j.db}).DropEnded(ctx, before, backfillRows); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

const alertRows = 1000 // messages that one statement removes at most

// tidyAlerts forgets messages of long ago, and which runs were late that have ended.
func (j *janitor) tidyAlerts(ctx context.Context) (gone int64, err error) {
	if _, err := (postgres.AlertNews{Q: j.db}).Forget(ctx); err != nil {
		return 0, err
	}
	before, err := j.horizon(ctx)
	if err != nil {
		return 0, err
	}
	for n := int64(alertRows); n == alertRows; gone += n {
		if n, err = (postgres.Alerts{Q: j.db}).DropOld(ctx, before, alertRows); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

const auditRows = 100_000 // entries of the audit log that one transaction removes at most

// cutAudit removes entries of the audit log that are too old, which leaves an entry itself.
func (j *janitor) cutAudit(ctx context.Context) error {
	if j.audit == 0 {
		return nil
	}
	for removed := int64(auditRows); removed == auditRows; {
		err := j.db.InTx(ctx, func(q postgres.Querier) (err error) {
			removed, err = postgres.Audit{Q: q}.Cut(ctx, j.audit, auditRows)
			return err
		})
		if err != nil {
			return err
		}
		if removed > 0 {
			j.log.InfoContext(ctx, "audit log cut", "entries", removed, "older_than", j.audit)
		}
	}
	return nil
}

// horizon is the instant before which the ledger is forgotten, by the database's clock.
func (j *janitor) horizon(ctx context.Context) (time.Time, error) {
	now, err := postgres.Now(ctx, j.db)
	return now.Add(-j.keep), err
}
