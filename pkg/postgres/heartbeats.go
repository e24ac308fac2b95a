package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Heartbeats is the store of what the jobs of heartbeat triggers say.
type Heartbeats struct{ Q Querier }

// What a job may say.
const (
	SignalPing  = "ping"  // it is done
	SignalStart = "start" // it has begun
	SignalFail  = "fail"  // it has failed
	SignalLog   = "log"   // something that changes nothing
)

// Heartbeat is what a trigger's job said last.
type Heartbeat struct {
	TriggerID uuid.UUID  `db:"trigger_id"`
	ArmedAt   time.Time  `db:"armed_at"` // counts as a ping
	PingedAt  *time.Time `db:"pinged_at"`
	StartedAt *time.Time `db:"started_at"` // it began, and said nothing since
	FailedAt  *time.Time `db:"failed_at"`  // it failed, and said nothing since
	Signal    *string    `db:"signal"`     // the latest
	SignalAt  *time.Time `db:"signal_at"`
	Message   *string    `db:"message"`
	Address   *string    `db:"address"`
	LateSince *time.Time `db:"late_since"` // nil: all is well
}

// Last is the instant from which the next ping is expected.
func (h Heartbeat) Last() time.Time {
	if h.PingedAt != nil && h.PingedAt.After(h.ArmedAt) {
		return *h.PingedAt
	}
	return h.ArmedAt
}

// Signal is what a job says.
type Signal struct {
	TriggerID uuid.UUID
	Kind      string
	Message   string
	Address   string
}

// Note notes signals, in their order. It answers the triggers that the scheduler has to look at now: those that were late,
// and those whose jobs began or failed. Hurry tells it, in a transaction of its own: the scheduler locks a trigger before its
// heartbeat.
func (s Heartbeats) Note(ctx context.Context, signals []Signal) (urgent []uuid.UUID, err error) {
	type sum struct {
		last              Signal
		ping, start, fail bool
	}
	var order []uuid.UUID
	sums := map[uuid.UUID]*sum{}
	for _, g := range signals {
		of := sums[g.TriggerID]
		if of == nil {
			of = &sum{}
			sums[g.TriggerID] = of
			order = append(order, g.TriggerID)
		}
		of.last = g
		switch g.Kind {
		case SignalPing:
			of.ping, of.start, of.fail = true, false, false
		case SignalStart:
			of.start = true
		case SignalFail:
			of.fail, of.start = true, false
		}
	}
	var kinds, messages, froms []string
	var pings, starts, fails []bool
	for _, id := range order {
		of := sums[id]
		kinds, messages, froms = append(kinds, of.last.Kind), append(messages, of.last.Message), append(froms, of.last.Address)
		pings, starts, fails = append(pings, of.ping), append(starts, of.start), append(fails, of.fail)
	}
	rows, err := s.Q.Query(ctx, `
		with u as materialized (
		    select h.trigger_id, u.kind, u.message, u.address, u.ping, u.start, u.fail
		      from unnest(@ids::uuid[], @kinds::text[], @messages::text[], @froms::text[], @pings::bool[], @starts::bool[], @fails::bool[])
		           u (id, kind, message, address, ping, start, fail)
		      join heartbeats h on h.trigger_id = u.id order by h.trigger_id for update of h),
		noted as (
		    update heartbeats h
		       set pinged_at = case when u.ping then now() else h.pinged_at end,
		           started_at = case when u.start then now() when u.ping or u.fail then null else h.started_at end,
		           failed_at = case when u.fail then now() when u.ping then null else h.failed_at end,
		           signal = u.kind, signal_at = now(), message = nullif(u.message, ''), address = u.address
		      from u where h.trigger_id = u.trigger_id
		 returning h.trigger_id, u.start or u.fail or u.ping and h.late_since is not null as urgent)
		select trigger_id from noted where urgent`,
		args{"ids": order, "kinds": kinds, "messages": messages, "froms": froms, "pings": pings, "starts": starts, "fails": fails})
	if err != nil {
		return nil, fmt.Errorf("note signals: %w", translate(err))
	}
	if urgent, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
		return nil, fmt.Errorf("note signals: %w", translate(err))
	}
	return urgent, nil
}

// Hurry lets the scheduler look at triggers at once.
func (s Triggers) Hurry(ctx context.Context, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.Q.Exec(ctx, `
		with mine as (select id from triggers where id = any($1) and enabled order by id for update)
		update triggers t set due_at = now() from mine where t.id = mine.id`, ids)
	if err != nil {
		return fmt.Errorf("hurry triggers: %w", err)
	}
	return Notify(ctx, s.Q, ScheduleChannel)
}

// Arm begins to expect pings of a trigger, from now on: it has just been made, switched on or changed.
func (s Heartbeats) Arm(ctx context.Context, trigger uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		insert into heartbeats (trigger_id) values ($1)
		    on conflict (trigger_id) do update set armed_at = now(), started_at = null, failed_at = null, late_since = null`, trigger)
	if err != nil {
		return fmt.Errorf("arm a heartbeat: %w", err)
	}
	return nil
}

const heartbeatColumns = `trigger_id, armed_at, pinged_at, started_at, failed_at, signal, signal_at, message, address, late_since`

// Lock reads the heartbeats of triggers, and lets no signal in until the transaction ends.
func (s Heartbeats) Lock(ctx context.Context, triggers []uuid.UUID) (map[uuid.UUID]Heartbeat, error) {
	return s.find(ctx, `select `+heartbeatColumns+` from heartbeats where trigger_id = any($1) order by trigger_id for update`, triggers)
}

// Of reads the heartbeats of triggers.
func (s Heartbeats) Of(ctx context.Context, triggers []uuid.UUID) (map[uuid.UUID]Heartbeat, error) {
	return s.find(ctx, `select `+heartbeatColumns+` from heartbeats where trigger_id = any($1)`, triggers)
}

func (s Heartbeats) find(ctx context.Context, sql string, triggers []uuid.UUID) (map[uuid.UUID]Heartbeat, error) {
	if len(triggers) == 0 {
		return nil, nil
	}
	rows, err := s.Q.Query(ctx, sql, triggers)
	if err != nil {
		return nil, fmt.Errorf("find heartbeats: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Heartbeat])
	if err != nil {
		return nil, fmt.Errorf("find heartbeats: %w", err)
	}
	found := make(map[uuid.UUID]Heartbeat, len(list))
	for _, h := range list {
		found[h.TriggerID] = h
	}
	return found, nil
}

// Late notes since when triggers are late; nil: they are not any more.
func (s Heartbeats) Late(ctx context.Context, since map[uuid.UUID]*time.Time) error {
	if len(since) == 0 {
		return nil
	}
	ids, instants := make([]uuid.UUID, 0, len(since)), make([]*time.Time, 0, len(since))
	for id, at := range since {
		ids, instants = append(ids, id), append(instants, at)
	}
	_, err := s.Q.Exec(ctx, `
		update heartbeats h set late_since = u.since from unnest($1::uuid[], $2::timestamptz[]) u (id, since) where h.trigger_id = u.id`, ids, instants)
	if err != nil {
		return fmt.Errorf("note late heartbeats: %w", err)
	}
	return s.noteLate(ctx, ids, instants)
}
