package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
)

// AlertChannel is where schedulers hear that something happened that rules may be about.
const AlertChannel = "orq_alert"

// newsOfFailed notes the runs of ended that failed, but for drafts, in projects with rules. Where there are none, it looks into an index without
// entries.
const newsOfFailed = `
	insert into alert_news (kind, project_id, workflow_id, run_id)
	select 'failure', e.project_id, e.workflow_id, e.id from ended e
	 where e.status = 'failed' and e.version > 0 and exists (select from alert_rules a where a.project_id = e.project_id and a.enabled)`

// AlertNews is the store of what happened that rules may be about: an outbox, written with what happened.
type AlertNews struct{ Q Querier }

// News is something that happened.
type News struct {
	Kind       alert.Kind `db:"kind"`
	ProjectID  uuid.UUID  `db:"project_id"`
	WorkflowID uuid.UUID  `db:"workflow_id"`
	TriggerID  *uuid.UUID `db:"trigger_id"`
	RunID      *uuid.UUID `db:"run_id"`
	At         time.Time  `db:"at"` // of a missed occurrence and of a ping: when it should have been
	Count      int        `db:"count"`
	Code       *string    `db:"code"`
	Reason     *string    `db:"reason"`
}

// Take removes up to limit news, and answers them in the order in which they were noted. Who takes them does what follows from
// them in the same transaction.
func (s AlertNews) Take(ctx context.Context, limit int) ([]News, error) {
	rows, err := s.Q.Query(ctx, `
		with mine as (select id from alert_news order by id limit $1 for update skip locked),
		     taken as (delete from alert_news a using mine m where a.id = m.id returning a.*)
		select kind, project_id, workflow_id, trigger_id, run_id, at, count, code, reason from taken order by id`, limit)
	if err != nil {
		return nil, fmt.Errorf("take news: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[News])
	if err != nil {
		return nil, fmt.Errorf("take news: %w", err)
	}
	return list, nil
}

// missed tells whether people may want to hear of a row of the ledger: nobody chose that its fires were not run on time.
func (o OccurrenceRow) missed() bool {
	switch o.Outcome {
	case OutcomeRanLate, OutcomeCoalesced:
		return o.Code == nil || *o.Code != CodeBackfill
	case OutcomeSkipped:
		if o.Code == nil {
			return false
		}
		switch *o.Code {
		case CodeMissed, CodeOutsideWindow, CodeLimit, CodeOverlap, CodeQueueFull, CodeQuotaRuns, CodeQuotaStorage, CodeChain:
			return true
		}
	}
	return false
}

// noteMissed notes the rows of the ledger that people may want to hear of.
func (s Occurrences) noteMissed(ctx context.Context, list []OccurrenceRow, fresh func(OccurrenceRow) bool) error {
	var triggers []uuid.UUID
	var runs []*uuid.UUID
	var fires []time.Time
	var counts []int32
	var codes, reasons []*string
	for _, o := range list {
		if !o.missed() || !fresh(o) {
			continue
		}
		triggers, runs, fires = append(triggers, o.TriggerID), append(runs, o.RunID), append(fires, o.Last())
		counts = append(counts, int32(max(o.Count, 1))) //nolint:gosec // bounded by the planner
		codes, reasons = append(codes, o.Code), append(reasons, o.Reason)
	}
	if len(triggers) == 0 {
		return nil
	}
	_, err := s.Q.Exec(ctx, `
		insert into alert_news (kind, project_id, workflow_id, trigger_id, run_id, at, count, code, reason)
		select 'missed', t.project_id, t.workflow_id, t.id, u.run_id, u.at, u.count, u.code, u.reason
		  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[], $5::text[], $6::text[]) u (id, run_id, at, count, code, reason)
		  join triggers t on t.id = u.id
		 where exists (select from alert_rules a where a.project_id = t.project_id and a.enabled)`, triggers, runs, fires, counts, codes, reasons)
	if err != nil {
		return fmt.Errorf("note missed occurrences: %w", err)
	}
	return nil
}

// noteLate notes that the jobs of heartbeats are late.
func (s Heartbeats) noteLate(ctx context.Context, ids []uuid.UUID, since []*time.Time) error {
	_, err := s.Q.Exec(ctx, `
		insert into alert_news (kind, project_id, workflow_id, trigger_id, at, reason)
		select 'heartbeat', t.project_id, t.workflow_id, t.id, u.since, h.message
		  from unnest($1::uuid[], $2::timestamptz[]) u (id, since) join triggers t on t.id = u.id join heartbeats h on h.trigger_id = t.id
		 where u.since is not null and exists (select from alert_rules a where a.project_id = t.project_id and a.enabled)`, ids, since)
	if err != nil {
		return fmt.Errorf("note late heartbeats: %w", err)
	}
	return nil
}

// Streaks answers, for failed runs, how many runs of their workflows failed in a row up to them, counted up to most. A run that
// was cancelled counts for neither side.
func (s AlertNews) Streaks(ctx context.Context, runs []uuid.UUID, most int) (map[uuid.UUID]int, error) {
	rows, err := s.Q.Query(ctx, `
		select u.id, coalesce(min(l.n) filter (where l.status = 'succeeded') - 1, max(l.n))::int
		  from unnest($1::uuid[]) u (id) join runs f on f.id = u.id
		 cross join lateral (
		    select r.status, row_number() over (order by r.id desc) as n from (
		        select r.id, r.status from runs r
		         where r.workflow_id = f.workflow_id and r.version > 0 and r.id <= f.id and r.status in ('succeeded', 'failed') order by r.id desc limit $2) r) l
		 group by u.id`, runs, most)
	if err != nil {
		return nil, fmt.Errorf("count failed runs in a row: %w", err)
	}
	streaks := make(map[uuid.UUID]int, len(runs))
	var id uuid.UUID
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { streaks[id] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count failed runs in a row: %w", err)
	}
	return streaks, nil
}

// WatchedRun is a live run, as rules about late and held runs see it.
type WatchedRun struct {
	ID         uuid.UUID  `db:"id"`
	ProjectID  uuid.UUID  `db:"project_id"`
	WorkflowID uuid.UUID  `db:"workflow_id"`
	DueAt      time.Time  `db:"due_at"` // when its occurrence was due, else when it was made
	StartedAt  *time.Time `db:"started_at"`
	HeldAt     *time.Time `db:"held_at"` // since when it is held; nil: it is not
	Reason     *string    `db:"reason"`  // why it is held
	Now        time.Time  `db:"now"`
}

// Watched lists those of the live runs after an id, up to limit, that belong to projects. last is where the next look goes on:
// the zero UUID when all were seen.
func (s AlertNews) Watched(ctx context.Context, projects []uuid.UUID, after uuid.UUID, limit int) (list []WatchedRun, last uuid.UUID, err error) {
	rows, err := s.Q.Query(ctx, `
		with seen as materialized (
		    select l.id, l.project_id, l.workflow_id, l.started_at, l.reason, case when l.state = 'held' then l.held_at end as held_at
		      from run_live l where l.id > @after order by l.id limit @limit)
		select l.id, l.project_id, l.workflow_id, coalesce(r.fire_at, r.created_at) as due_at, l.started_at, l.held_at, l.reason, now() as now
		  from seen l join runs r on r.id = l.id and r.version > 0 where l.project_id = any(@projects)
		union all
		select id, '00000000-0000-0000-0000-000000000000', workflow_id, now(), null, null, null, now()
		  from (select id, workflow_id from seen order by id desc limit 1) l where (select count(*) from seen) = @limit`,
		args{"projects": projects, "after": after, "limit": limit})
	if err != nil {
		return nil, last, fmt.Errorf("look at live runs: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[WatchedRun])
	if err != nil {
		return nil, last, fmt.Errorf("look at live runs: %w", err)
	}
	for _, r := range all {
		if r.ProjectID == (uuid.UUID{}) {
			last = r.ID
			continue
		}
		list = append(list, r)
	}
	return list, last, nil
}

// Seen is a live run that a rule counts as late or held.
type Seen struct {
	RuleID uuid.UUID
	Kind   alert.Kind
	RunID  uuid.UUID
	At     time.Time
}

// See notes runs that rules count, and answers which of them are new.
func (s AlertNews) See(ctx context.Context, list []Seen) (map[Seen]bool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var rules, runs []uuid.UUID
	var kinds []string
	var ats []time.Time
	for _, one := range list {
		rules, kinds, runs, ats = append(rules, one.RuleID), append(kinds, string(one.Kind)), append(runs, one.RunID), append(ats, one.At)
	}
	rows, err := s.Q.Query(ctx, `
		insert into alert_seen (rule_id, kind, run_id, at) select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[])
		on conflict do nothing returning rule_id, kind, run_id, at`, rules, kinds, runs, ats)
	if err != nil {
		return nil, fmt.Errorf("note late runs: %w", err)
	}
	fresh := map[Seen]bool{}
	var one Seen
	_, err = pgx.ForEachRow(rows, []any{&one.RuleID, &one.Kind, &one.RunID, &one.At}, func() error {
		one.At = one.At.UTC()
		fresh[one] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("note late runs: %w", err)
	}
	return fresh, nil
}

// Forget forgets which runs rules have counted that have ended since.
func (s AlertNews) Forget(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from alert_seen s where not exists (select from run_live l where l.id = s.run_id)`)
	if err != nil {
		return 0, fmt.Errorf("forget late runs: %w", err)
	}
	return tag.RowsAffected(), nil
}
