package api

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// failures notes wrong passwords in the audit log without letting those who guess fill it: the first from an address in a
// minute is an entry of its own, how many more came is another once the minute is over. What was typed as an e-mail address is
// not kept where nobody has it: it may be a password.
type failures struct {
	db    *postgres.DB
	clock clock.Clock
	log   *slog.Logger

	mu     sync.Mutex
	minute time.Time
	from   map[string]*failed
	others failed // from addresses beyond those that are noted one by one
}

// failed is what came from an address after the first.
type failed struct {
	origin          audit.Origin
	more, throttled int
}

// failingAddresses is how many addresses are noted in a minute, one by one.
const failingAddresses = 20

func newFailures(db *postgres.DB, clk clock.Clock, log *slog.Logger) *failures {
	return &failures{db: db, clock: clk, log: log, from: map[string]*failed{}}
}

// add counts a password that was wrong. u is whose account it was tried at; zero where there is none.
func (f *failures) add(ctx context.Context, u account.User) {
	before, first := f.count(ctx, func(s *failed, first bool) {
		if !first {
			s.more++
		}
	})
	f.write(ctx, before...)
	if !first {
		return
	}
	c := audit.Change{Action: audit.SessionRefuse, After: audit.Data{"account": "unknown"}}
	if u.ID != uuid.Nil {
		c.Object, c.After = audit.Of(u.ID, u.Username), audit.Data{"account": "known"}
	}
	f.write(ctx, noted{audit.From(ctx), c})
}

// throttled counts a try that was turned away since too many were made.
func (f *failures) throttled(ctx context.Context) {
	before, _ := f.count(ctx, func(s *failed, _ bool) { s.throttled++ })
	f.write(ctx, before...)
}

// noted is a change with its origin.
type noted struct {
	origin audit.Origin
	change audit.Change
}

// count counts a failure. It answers what is to be said of the minute before, if this is another, and whether it is the first
// of its address.
func (f *failures) count(ctx context.Context, add func(s *failed, first bool)) (before []noted, first bool) {
	origin := audit.From(ctx)
	minute := f.clock.Now().Truncate(time.Minute)
	f.mu.Lock()
	defer f.mu.Unlock()
	if minute != f.minute {
		before, f.minute = f.close(), minute
	}
	key := network(origin.Address)
	s, known := f.from[key]
	switch {
	case known:
	case len(f.from) < failingAddresses:
		s, first = &failed{origin: audit.Origin{Actor: audit.Actor{Kind: audit.Nobody}, Address: origin.Address}}, true
		f.from[key] = s
	default:
		s = &f.others
	}
	add(s, first)
	return before, first
}

// close answers what is to be said of a minute, and begins anew. The lock is held.
func (f *failures) close() (list []noted) {
	say := func(s failed) {
		if s.more+s.throttled == 0 {
			return
		}
		after := audit.Data{"more": s.more, "throttled": s.throttled, "minute": f.minute.UTC()}
		list = append(list, noted{s.origin, audit.Change{Action: audit.SessionRefuse, After: after}})
	}
	for _, s := range f.from {
		say(*s)
	}
	f.others.origin = audit.Origin{Actor: audit.Actor{Kind: audit.Nobody}}
	say(f.others)
	clear(f.from)
	f.others = failed{}
	return list
}

// write writes entries. Whoever typed a wrong password is told so whether they can be written or not.
func (f *failures) write(ctx context.Context, list ...noted) {
	if len(list) == 0 {
		return
	}
	err := f.db.InTx(ctx, func(q postgres.Querier) error {
		for _, n := range list {
			if err := postgres.Note(audit.With(ctx, n.origin), q, n.change); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		f.log.WarnContext(ctx, "failed logins are not in the audit log", "entries", len(list), "error", err)
	}
}

// run says what is to be said of each minute until stop ends, and of the last one then.
func (f *failures) run(ctx, stop context.Context) error {
	for f.clock.Sleep(stop, time.Minute) == nil {
		f.finish(ctx, false)
	}
	f.finish(ctx, true)
	return nil
}

// finish says what is to be said of a minute that is over, or of any.
func (f *failures) finish(ctx context.Context, any bool) {
	f.mu.Lock()
	var list []noted
	if any || f.clock.Now().Truncate(time.Minute) != f.minute {
		list = f.close()
	}
	f.mu.Unlock()
	f.write(ctx, list...)
}
