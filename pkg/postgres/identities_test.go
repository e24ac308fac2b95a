package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// Each of the last two ways in could go if the other one stayed: the second to go waits for what becomes of the first.
func TestTheLastTwoWaysInDoNotGoAtOnce(t *testing.T) {
	db := open(t, postgres.Options{Conns: 4})
	user, issuers := uuid.New(), []string{"https://one.example.com", "https://two.example.com"}
	must(t, db.InTx(t.Context(), func(q postgres.Querier) error {
		_, err := postgres.Users{Q: q}.Register(t.Context(), account.User{ID: user, Email: "a@example.org", Username: "a", Role: account.Member}, "")
		return err
	}))
	ids := []uuid.UUID{uuid.New(), uuid.New()}
	for i, id := range ids {
		must(t, postgres.Identities{Q: db}.Insert(t.Context(), postgres.NewIdentity{ID: id, UserID: user, Issuer: issuers[i], Subject: "x"}))
	}
	second := make(chan error, 1)
	must(t, db.InTx(t.Context(), func(q postgres.Querier) error {
		if err := (postgres.Identities{Q: q}).Delete(t.Context(), user, ids[0], issuers); err != nil {
			return err
		}
		go func() {
			second <- db.InTx(t.Context(), func(q postgres.Querier) error {
				return postgres.Identities{Q: q}.Delete(t.Context(), user, ids[1], issuers)
			})
		}()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for waiting := 0; waiting == 0; <-tick.C {
			select {
			case err := <-second:
				second <- err // it did not wait
				return nil
			default:
			}
			err := db.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).Scan(&waiting)
			if err != nil {
				return err
			}
		}
		return nil
	}))
	if err := <-second; !fault.Is(err, fault.Conflict) {
		t.Errorf("the last way in went too: %v", err)
	}
}
