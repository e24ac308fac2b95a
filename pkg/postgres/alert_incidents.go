package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
)

// AlertIncidents is the store of what is the matter now.
type AlertIncidents struct{ Q Querier }

// TryLock lets one scheduler at a time decide about alerts, until its transaction ends; false when another does.
func (s AlertIncidents) TryLock(ctx context.Context) (ok bool, err error) {
	if err = s.Q.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtext('orq alerts'))`).Scan(&ok); err != nil {
		return false, fmt.Errorf("lock the alerts: %w", err)
	}
	return ok, nil
}

// IncidentKey names what is the matter.
type IncidentKey struct {
	RuleID  uuid.UUID
	Kind    alert.Kind
	Subject uuid.UUID // the workflow, the trigger of a missed occurrence or a heartbeat, or the project of storage
}

// Cause is something that happened of which a rule wants people to hear.
type Cause struct {
	IncidentKey
	WorkflowID *uuid.UUID // nil: of no workflow
	TriggerID  *uuid.UUID
	RunID      *uuid.UUID
	At         time.Time
	Count      int
	Code       *string
	Reason     *string
}

// Add adds causes, at most one of each incident in a call: an incident begins with its first.
func (s AlertIncidents) Add(ctx context.Context, list []Cause) error {
	if len(list) == 0 {
		return nil
	}
	n := len(list)
	var (
		rules, subjects           = make([]uuid.UUID, n), make([]uuid.UUID, n)
		workflows, triggers, runs = make([]*uuid.UUID, n), make([]*uuid.UUID, n), make([]*uuid.UUID, n)
		kinds                     = make([]string, n)
		ats                       = make([]time.Time, n)
		counts                    = make([]int32, n)
		codes, reasons            = make([]*string, n), make([]*string, n)
	)
	for i, c := range list {
		rules[i], kinds[i], subjects[i], workflows[i] = c.RuleID, string(c.Kind), c.Subject, c.WorkflowID
		triggers[i], runs[i], ats[i], codes[i], reasons[i] = c.TriggerID, c.RunID, c.At, c.Code, c.Reason
		counts[i] = int32(c.Count) //nolint:gosec // bounded by what is taken at a time
	}
	_, err := s.Q.Exec(ctx, `
		insert into alert_incidents as i (rule_id, kind, subject, workflow_id, trigger_id, run_id, since, last_at, count, code, reason)
		select u.rule_id, u.kind, u.subject, u.workflow_id, u.trigger_id, u.run_id, u.at, u.at, u.count, u.code, u.reason
		  from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::int[], $9::text[], $10::text[])
		       u (rule_id, kind, subject, workflow_id, trigger_id, run_id, at, count, code, reason)
		  join alert_rules r on r.id = u.rule_id
		    on conflict (rule_id, kind, subject) do update
		   set trigger_id = excluded.trigger_id, run_id = greatest(i.run_id, excluded.run_id), last_at = greatest(i.last_at, excluded.last_at),
		       count = i.count + excluded.count, code = excluded.code, reason = excluded.reason`,
		rules, kinds, subjects, workflows, triggers, runs, ats, counts, codes, reasons)
	if err != nil {
		return fmt.Errorf("add causes of alerts: %w", translate(err))
	}
	return nil
}

// Incident is what is the matter, with what is told of it.
type Incident struct {
	RuleID     uuid.UUID  `db:"rule_id"`
	Kind       alert.Kind `db:"kind"`
	Subject    uuid.UUID  `db:"subject"`
	ProjectID  uuid.UUID  `db:"project_id"`
	WorkflowID *uuid.UUID `db:"workflow_id"`
	Name       string     `db:"name"` // of the workflow, else of the project
	TriggerKey *string    `db:"trigger_key"`
	RunID      *uuid.UUID `db:"run_id"`
	Since      time.Time  `db:"since"`
	LastAt     time.Time  `db:"last_at"`
	Count      int        `db:"count"`
	Told       int        `db:"told"`
	ToldAt     *time.Time `db:"told_at"`
	Code       *string    `db:"code"`
	Reason     *string    `db:"reason"`
	Step       *string    `db:"step"`  // of the run: the last that failed
	Error      *string    `db:"error"` // of that step, else of the run
	Spec       alert.Rule `db:"spec"`  // of the rule
	Silent     bool       `db:"silent"`
}

// Key names the incident.
func (i Incident) Key() IncidentKey {
	return IncidentKey{RuleID: i.RuleID, Kind: i.Kind, Subject: i.Subject}
}

// incidents is a query of incidents i, whose last column is silent: nobody is to hear of it.
const incidents = `
	select i.rule_id, i.kind, i.subject, r.project_id, i.workflow_id, coalesce(w.name, p.name) as name, t.key as trigger_key, i.run_id, i.since, i.last_at,
	       i.count, i.told, i.told_at, i.code, i.reason, f.step, coalesce(f.error, x.reason) as error, r.spec,
	       w.deleted_at is not null or m.workflow_id is not null or t.removed_at is not null or i.kind = 'heartbeat' and not t.enabled as silent
	  from alert_incidents i join alert_rules r on r.id = i.rule_id join projects p on p.id = r.project_id
	  left join workflows w on w.id = i.workflow_id
	  left join triggers t on t.id = i.trigger_id
	  left join alert_mutes m on m.workflow_id = i.workflow_id and m.until > now()
	  left join runs x on x.id = i.run_id
	  left join lateral (
	    select s.step, s.error from step_runs s where s.run_id = i.run_id and s.status = 'failed' order by s.finished_at desc, s.attempt desc limit 1) f on i.kind = 'failure'`

// Untold lists incidents of which there is something to say: there was no message yet, or the time has passed after which the
// rule repeats itself, and it goes on or happened again.
func (s AlertIncidents) Untold(ctx context.Context, limit int) ([]Incident, error) {
	return s.list(ctx, "find what to tell", incidents+`
		 where r.enabled and m.workflow_id is null and w.deleted_at is null
		   and (i.told_at is null or r.repeat > '0' and i.told_at <= now() - r.repeat
		        and (i.count > i.told or i.kind in ('late_start', 'late_finish', 'held', 'heartbeat', 'storage')))
		 order by i.since limit $1`, limit)
}

// Over lists incidents that have come to an end; of those that are silent, nobody is told. Storage is what projects may store of
// which nothing was decided, or 0.
func (s AlertIncidents) Over(ctx context.Context, storage, limit int) ([]Incident, error) {
	return s.list(ctx, "find what is over", incidents+`
		 where w.deleted_at is not null or t.removed_at is not null or case i.kind
		    when 'failure' then exists (
		        select from runs g where g.workflow_id = i.workflow_id and g.version > 0 and g.id > i.run_id and g.status = 'succeeded')
		    when 'missed' then exists (
		        select from occurrences o where o.trigger_id = i.subject and o.fire_at > i.last_at and o.outcome = 'ran')
		    when 'heartbeat' then not t.enabled or not exists (
		        select from heartbeats h where h.trigger_id = i.subject and h.late_since is not null)
		    when 'held' then not exists (
		        select from run_live l join runs r on r.id = l.id and r.version > 0 where l.workflow_id = i.workflow_id and l.state = 'held')
		    when 'storage' then not exists (
		        select from project_storage s where s.project_id = i.subject and s.bytes * 100 >= coalesce(p.quota_storage, nullif($2::bigint, 0)) * `+earlyWarning+`)
		    else not exists (
		        select from alert_seen n join run_live l on l.id = n.run_id
		         where n.rule_id = i.rule_id and n.kind = i.kind and l.workflow_id = i.workflow_id and (i.kind = 'late_finish' or l.started_at is null)) end
		 order by i.since limit $1`, limit, storage)
}

func (s AlertIncidents) list(ctx context.Context, what, sql string, values ...any) ([]Incident, error) {
	rows, err := s.Q.Query(ctx, sql, values...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Incident])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// Told notes that there were messages about incidents, and of how many causes.
func (s AlertIncidents) Told(ctx context.Context, list []Incident) error {
	rules, kinds, subjects := keysOfIncidents(list)
	_, err := s.Q.Exec(ctx, `
		update alert_incidents i set told = i.count, told_at = now() from unnest($1::uuid[], $2::text[], $3::uuid[]) u (rule_id, kind, subject)
		 where (i.rule_id, i.kind, i.subject) = (u.rule_id, u.kind, u.subject)`, rules, kinds, subjects)
	if err != nil {
		return fmt.Errorf("note what was told: %w", err)
	}
	return nil
}

// End ends incidents.
func (s AlertIncidents) End(ctx context.Context, list []Incident) error {
	rules, kinds, subjects := keysOfIncidents(list)
	_, err := s.Q.Exec(ctx, `
		delete from alert_incidents i using unnest($1::uuid[], $2::text[], $3::uuid[]) u (rule_id, kind, subject)
		 where (i.rule_id, i.kind, i.subject) = (u.rule_id, u.kind, u.subject)`, rules, kinds, subjects)
	if err != nil {
		return fmt.Errorf("end incidents: %w", err)
	}
	return nil
}

func keysOfIncidents(list []Incident) (rules []uuid.UUID, kinds []string, subjects []uuid.UUID) {
	for _, i := range list {
		rules, kinds, subjects = append(rules, i.RuleID), append(kinds, string(i.Kind)), append(subjects, i.Subject)
	}
	return rules, kinds, subjects
}
