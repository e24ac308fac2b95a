package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Attention is something that a person should look at.
type Attention struct {
	Kind         string     `db:"kind"` // failing, late, held, paused, never_ran, heartbeat, undelivered
	WorkflowID   uuid.UUID  `db:"workflow_id"`
	WorkflowName string     `db:"workflow_name"`
	Since        *time.Time `db:"since"`
	Count        int        `db:"count"`  // failing: runs that failed in a row; held: runs
	Detail       *string    `db:"detail"` // for people: why the last run failed, or why the trigger stopped
	TriggerKey   *string    `db:"trigger_key"`
	RunID        *uuid.UUID `db:"run_id"`
}

// How far back, and at how many of the newest runs that did not succeed, it is looked for workflows that fail; and how many
// runs of each are looked at.
const (
	failingSince = "7 days"
	failingRuns  = 1000
	failingDepth = 20
)

// late is by how much a trigger is overdue before people hear of it; schedulers fire within a second.
const late = "1 minute"

// neverSince is how old a workflow is before it is strange that it never ran.
const neverSince = "1 day"

// undeliveredSince is how long people are reminded of alerts that did not arrive.
const undeliveredSince = "7 days"

// Attention lists what people should look at in the projects, up to limit of each kind. What it costs depends on how much is
// wrong, and not on how many runs there are.
func (s Stats) Attention(ctx context.Context, projects []uuid.UUID, limit int) ([]Attention, error) {
	var list []Attention
	for _, sql := range []string{
		`with bad as (
		    select distinct r.workflow_id from (
		        select u.id from unnest(@projects::uuid[]) p (id) cross join lateral (
		            select u.id from unsuccessful_runs u
		             where u.project_id = p.id and u.status = 'failed' and u.id >= first_id_at(now() - interval '` + failingSince + `')
		             order by u.id desc limit ` + fmt.Sprint(failingRuns) + `) u) u
		      join runs r on r.id = u.id and r.version > 0),
		newest as (
		    select w.id as workflow_id, w.name, e.id, e.reason from bad join workflows w on w.id = bad.workflow_id
		     cross join lateral (
		        select r.id, r.status, r.reason from runs r
		         where r.workflow_id = bad.workflow_id and r.version > 0 and r.status in ('succeeded', 'failed') order by r.id desc limit 1) e
		     where w.deleted_at is null and w.enabled and e.status = 'failed' order by e.id desc limit @limit),
		ended as (
		    select f.workflow_id, r.*, row_number() over (partition by f.workflow_id order by r.id desc) as n
		      from newest f cross join lateral (
		        select r.id, r.status, r.finished_at from runs r
		         where r.workflow_id = f.workflow_id and r.version > 0 and r.status in ('succeeded', 'failed') order by r.id desc limit ` + fmt.Sprint(failingDepth) + `) r),
		streak as (
		    select workflow_id, coalesce(min(n) filter (where status = 'succeeded') - 1, max(n)) as count from ended group by workflow_id)
		select 'failing' as kind, f.workflow_id, f.name as workflow_name, o.finished_at as since, s.count, f.reason as detail,
		       null::text as trigger_key, f.id as run_id
		  from newest f join streak s on s.workflow_id = f.workflow_id
		  join ended o on o.workflow_id = f.workflow_id and o.n = s.count
		 order by f.id desc`,
		`select 'late' as kind, w.id as workflow_id, w.name as workflow_name, t.due_at as since, 1 as count, null::text as detail,
		       t.key as trigger_key, null::uuid as run_id
		  from triggers t join workflows w on w.id = t.workflow_id
		 where t.enabled and t.due_at < now() - interval '` + late + `' and t.project_id = any(@projects)
		 order by t.due_at limit @limit`,
		`select 'held' as kind, w.id as workflow_id, w.name as workflow_name, h.since, h.count, h.detail, null::text as trigger_key, h.run_id
		  from (select l.workflow_id, min(l.held_at) as since, count(*) as count, min(l.reason) as detail, (min(l.id::text))::uuid as run_id
		          from run_live l
		         where l.queue in ('critical', 'default', 'bulk') and l.project_id = any(@projects) and l.due_at = 'infinity'
		           and l.enqueued_at is null and l.gate is null and l.state = 'held'
		         group by l.workflow_id order by 2 limit @limit) h
		  join workflows w on w.id = h.workflow_id`,
		`select 'paused' as kind, w.id as workflow_id, w.name as workflow_name,
		       (select p.off_at from trigger_pauses p where p.trigger_id = t.id and p.on_at is null) as since, 1 as count,
		       t.paused_reason as detail, t.key as trigger_key, null::uuid as run_id
		  from triggers t join workflows w on w.id = t.workflow_id and w.deleted_at is null
		 where t.paused_reason is not null and t.removed_at is null and t.project_id = any(@projects)
		 order by 4 desc limit @limit`,
		`select 'never_ran' as kind, w.id as workflow_id, w.name as workflow_name, w.created_at as since, 0 as count, null::text as detail,
		       null::text as trigger_key, null::uuid as run_id
		  from workflows w
		 where w.project_id = any(@projects) and w.deleted_at is null and w.enabled and w.version > 0
		   and w.created_at < now() - interval '` + neverSince + `'
		   and not exists (select from run_counts c where c.project_id = w.project_id and c.workflow_id = w.id)
		   and not exists (select from runs r where r.workflow_id = w.id and r.version > 0)
		 order by w.id desc limit @limit`,
		`select 'heartbeat' as kind, w.id as workflow_id, w.name as workflow_name, h.late_since as since, 1 as count, h.message as detail,
		       t.key as trigger_key, null::uuid as run_id
		  from heartbeats h join triggers t on t.id = h.trigger_id join workflows w on w.id = t.workflow_id
		 where h.late_since is not null and t.enabled and t.project_id = any(@projects)
		 order by h.late_since desc limit @limit`,
		`select 'undelivered' as kind, w.id as workflow_id, w.name as workflow_name, min(a.created_at) as since, count(*) as count,
		       (array_agg(d.channel_name || ': ' || coalesce(d.tries -> -1 ->> 'error', '') order by a.id desc))[1] as detail,
		       null::text as trigger_key, null::uuid as run_id
		  from alert_deliveries d join alerts a on a.id = d.alert_id
		  join workflows w on w.id = coalesce(a.workflow_id, (select m.workflow_id from alerts m where m.digest_id = a.id limit 1))
		 where d.state = 'failed' and a.kind <> 'test' and a.project_id = any(@projects) and a.id >= first_id_at(now() - interval '` + undeliveredSince + `')
		   and not exists ( -- since then the channel works again
		       select from alert_deliveries s where s.channel_id = d.channel_id and s.alert_id > d.alert_id and s.state = 'sent')
		 group by w.id order by 4 desc limit @limit`,
	} {
		rows, err := s.Q.Query(ctx, sql, args{"projects": projects, "limit": limit})
		if err != nil {
			return nil, fmt.Errorf("find what needs attention: %w", err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Attention])
		if err != nil {
			return nil, fmt.Errorf("find what needs attention: %w", err)
		}
		list = append(list, found...)
	}
	return list, nil
}

// Upcoming is a trigger that fires soon.
type Upcoming struct {
	TriggerID    uuid.UUID        `db:"id"`
	WorkflowID   uuid.UUID        `db:"workflow_id"`
	WorkflowName string           `db:"workflow_name"`
	ProjectID    uuid.UUID        `db:"project_id"`
	Key          string           `db:"key"`
	Spec         workflow.Trigger `db:"spec"`
	AnchorAt     time.Time        `db:"anchor_at"`
	NextFireAt   time.Time        `db:"next_fire_at"`
	RunsMade     int              `db:"runs_made"`
}

// Upcoming lists the triggers of the projects that fire within a time, the next first.
func (s Triggers) Upcoming(ctx context.Context, projects []uuid.UUID, within time.Duration, limit int) ([]Upcoming, error) {
	rows, err := s.Q.Query(ctx, `
		select t.id, t.workflow_id, w.name as workflow_name, t.project_id, t.key, t.spec, t.anchor_at,
		       coalesce(t.next_fire_at, t.due_at) as next_fire_at, t.runs_made
		  from triggers t join workflows w on w.id = t.workflow_id
		 where t.enabled and t.due_at < now() + make_interval(secs => $2) and t.project_id = any($1)
		   and t.spec ->> 'type' <> 'heartbeat' -- it is only looked at then
		 order by t.due_at, t.id limit $3`, projects, within.Seconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("list coming fires: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Upcoming])
	if err != nil {
		return nil, fmt.Errorf("list coming fires: %w", err)
	}
	return list, nil
}
