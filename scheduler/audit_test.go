package scheduler

import (
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// The janitor removes entries of the audit log that are older than the setting, and none where it is for ever.
func TestTheAuditLogIsCutByItsAge(t *testing.T) {
	d := newDesk(t)
	note := func(days int) {
		t.Helper()
		d.must(d.db.InTx(t.Context(), func(q postgres.Querier) error {
			return postgres.Note(t.Context(), q, audit.Change{Action: audit.CalendarUpdate, Object: audit.Named("x")})
		}))
		// As if it had been written then: no change of the log itself does that.
		d.exec(`alter table audit_entries disable trigger all`)
		d.exec(`update audit_entries set at = now() - $1 * interval '1 day' where number = (select number from audit_head)`, days)
		d.exec(`alter table audit_entries enable trigger all`)
	}
	for _, days := range []int{50, 45, 43, 10, 0} {
		note(days)
	}
	left := func(keep time.Duration) int {
		t.Helper()
		j := &janitor{db: d.db, log: d.log, audit: keep}
		_, err := j.step(t.Context())
		d.must(err)
		list, err := postgres.Audit{Q: d.db}.List(t.Context(), postgres.AuditFilter{Action: "calendar.update"})
		d.must(err)
		return len(list)
	}
	if n := left(0); n != 5 {
		t.Errorf("%d are left, want all", n)
	}
	if n := left(49*24*time.Hour + 12*time.Hour); n != 5 {
		t.Errorf("%d are left: it is cut once a day, not each time that one is too old", n)
	}
	if n := left(44 * 24 * time.Hour); n != 3 {
		t.Errorf("%d are left, want the 3 that are younger", n)
	}
	cuts, err := postgres.Audit{Q: d.db}.List(t.Context(), postgres.AuditFilter{Action: "audit.cut"})
	d.must(err)
	if len(cuts) != 1 || cuts[0].Actor.Kind != audit.System {
		t.Errorf("%+v", cuts)
	}
}

func TestRetentionsOfTheAuditLogThatAreRefused(t *testing.T) {
	for keep, good := range map[time.Duration]bool{0: true, 30 * 24 * time.Hour: true, 29 * 24 * time.Hour: false, -time.Hour: false} {
		c := Config{
			Batch: 1, LostAfter: time.Second, EnqueueGrace: time.Second, MaxCrashes: 1, Overtime: time.Second, CancelAfter: time.Second,
			LedgerRetention: time.Hour, AuditRetention: keep,
		}
		if err := c.Check(); (err == nil) != good {
			t.Errorf("%s: %v", keep, err)
		}
	}
}
