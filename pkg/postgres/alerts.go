package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
)

// Alerts is the store of the messages, and of their way to the channels.
type Alerts struct{ Q Querier }

// States of a message.
const (
	AlertOut      = "out"      // it is on its way to its channels, or was
	AlertKept     = "kept"     // it waits for the end of the quiet hours
	AlertDigested = "digested" // a digest tells it
	AlertDropped  = "dropped"  // the rule drops what happens in quiet hours
)

// States of a delivery.
const (
	DeliveryWaiting = "waiting"
	DeliverySending = "sending"
	DeliverySent    = "sent"
	DeliveryFailed  = "failed" // it is not tried again
)

// NewAlert is a message that is made.
type NewAlert struct {
	ID         uuid.UUID
	ProjectID  uuid.UUID
	RuleID     *uuid.UUID
	WorkflowID *uuid.UUID
	Kind       alert.Kind
	Facts      alert.Facts
	Message    alert.Message
	State      string
	ReleaseAt  *time.Time  // AlertKept
	Channels   []uuid.UUID // AlertOut
}

// Insert stores messages, and sends those on their way that are out.
func (s Alerts) Insert(ctx context.Context, list []NewAlert) error {
	for _, a := range list {
		_, err := s.Q.Exec(ctx, `
			insert into alerts (id, project_id, rule_id, workflow_id, run_id, kind, of_kind, facts, title, text, state, release_at)
			values (@id, @project, @rule, @workflow, @run, @kind, nullif(@of, ''), @facts, @title, @text, @state, @release)`,
			args{
				"id": a.ID, "project": a.ProjectID, "rule": a.RuleID, "workflow": a.WorkflowID, "run": a.Facts.RunID, "kind": string(a.Kind),
				"of": string(a.Facts.Of), "facts": a.Facts, "title": a.Message.Title, "text": a.Message.Text, "state": a.State, "release": a.ReleaseAt,
			})
		if err != nil {
			return fmt.Errorf("store an alert: %w", translate(err))
		}
		if err := s.Send(ctx, a.ID, a.Channels); err != nil {
			return err
		}
	}
	return nil
}

// Send sends a message on its way to channels.
func (s Alerts) Send(ctx context.Context, id uuid.UUID, channels []uuid.UUID) error {
	if len(channels) == 0 {
		return nil
	}
	_, err := s.Q.Exec(ctx, `
		insert into alert_deliveries (alert_id, channel_id, channel_name)
		select a.id, c.id, c.name from alerts a join alert_channels c on c.project_id = a.project_id where a.id = $1 and c.id = any($2)
		    on conflict do nothing`, id, channels)
	if err != nil {
		return fmt.Errorf("send an alert on its way: %w", err)
	}
	return nil
}

// Kept is a message whose quiet hours are over.
type Kept struct {
	ID         uuid.UUID   `db:"id"`
	ProjectID  uuid.UUID   `db:"project_id"`
	RuleID     *uuid.UUID  `db:"rule_id"` // nil: it was removed
	WorkflowID *uuid.UUID  `db:"workflow_id"`
	Title      string      `db:"title"`
	CreatedAt  time.Time   `db:"created_at"`
	Spec       *alert.Rule `db:"spec"`
}

// Ripe lists kept messages whose quiet hours are over, those of a rule together, the oldest first.
func (s Alerts) Ripe(ctx context.Context, limit int) ([]Kept, error) {
	rows, err := s.Q.Query(ctx, `
		select a.id, a.project_id, a.rule_id, a.workflow_id, a.title, a.created_at, r.spec
		  from (select * from alerts where state = 'kept' and release_at <= now() order by release_at limit $1 for update skip locked) a
		  left join alert_rules r on r.id = a.rule_id order by a.rule_id, a.id`, limit)
	if err != nil {
		return nil, fmt.Errorf("find kept alerts: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Kept])
	if err != nil {
		return nil, fmt.Errorf("find kept alerts: %w", err)
	}
	return list, nil
}

// Settle says what became of kept messages; digest is the one that tells them, if one does.
func (s Alerts) Settle(ctx context.Context, ids []uuid.UUID, state string, digest *uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `update alerts set state = $2, digest_id = $3 where id = any($1) and state = 'kept'`, ids, state, digest)
	if err != nil {
		return fmt.Errorf("settle kept alerts: %w", err)
	}
	return nil
}

// DeliveryTry is an attempt to send that failed.
type DeliveryTry struct {
	At    time.Time `json:"at"`
	Class string    `json:"class"`
	Error string    `json:"error"`
}

// AlertRow is a message as people see it.
type AlertRow struct {
	ID           uuid.UUID       `db:"id"`
	ProjectID    uuid.UUID       `db:"project_id"`
	RuleID       *uuid.UUID      `db:"rule_id"`
	WorkflowID   *uuid.UUID      `db:"workflow_id"`
	WorkflowName *string         `db:"workflow_name"`
	RunID        *uuid.UUID      `db:"run_id"`
	Kind         string          `db:"kind"`
	Facts        alert.Facts     `db:"facts"`
	Title        string          `db:"title"`
	Text         string          `db:"text"`
	State        string          `db:"state"`
	ReleaseAt    *time.Time      `db:"release_at"`
	DigestID     *uuid.UUID      `db:"digest_id"`
	CreatedAt    time.Time       `db:"created_at"`
	Deliveries   []AlertDelivery `db:"deliveries"`
}

// AlertDelivery is a message's way to one channel.
type AlertDelivery struct {
	ChannelID   uuid.UUID     `json:"channel_id"`
	ChannelName string        `json:"channel_name"`
	State       string        `json:"state"`
	Attempts    int           `json:"attempts"`
	DueAt       time.Time     `json:"due_at"`
	SentAt      *time.Time    `json:"sent_at"`
	Tries       []DeliveryTry `json:"tries"`
}

const alertColumns = `
	select a.id, a.project_id, a.rule_id, a.workflow_id, (select w.name from workflows w where w.id = a.workflow_id) as workflow_name, a.run_id,
	       a.kind, a.facts, a.title, a.text, a.state, a.release_at, a.digest_id, a.created_at,
	       (select coalesce(jsonb_agg(jsonb_build_object('channel_id', d.channel_id, 'channel_name', d.channel_name, 'state', d.state, 'attempts', d.attempts,
	                                                     'due_at', d.due_at, 'sent_at', d.sent_at, 'tries', d.tries) order by d.channel_name, d.channel_id), '[]')
	          from alert_deliveries d where d.alert_id = a.id) as deliveries
	  from alerts a`

// AlertFilter narrows a list of messages; zero values do not.
type AlertFilter struct {
	Projects []uuid.UUID
	Workflow *uuid.UUID
	Rule     *uuid.UUID
	Kind     string
	State    string     // kept, digested, dropped, or a state of a delivery: some delivery has it
	Before   *uuid.UUID // keyset: only older ones
	Limit    int
}

// List lists messages, newest first.
func (s Alerts) List(ctx context.Context, f AlertFilter) ([]AlertRow, error) {
	return s.list(ctx, "list alerts", alertColumns+`
		 where a.project_id = any(@projects) and (@before::uuid is null or a.id < @before)
		   and (@workflow::uuid is null or a.workflow_id = @workflow) and (@rule::uuid is null or a.rule_id = @rule)
		   and (@kind = '' or a.kind = @kind)
		   and (@state = '' or a.state = @state or exists (
		        select from alert_deliveries d where d.alert_id = a.id and (d.state = @state or @state = 'waiting' and d.state = 'sending')))
		 order by a.id desc limit @limit`,
		args{
			"projects": f.Projects, "before": f.Before, "workflow": f.Workflow, "rule": f.Rule, "kind": f.Kind, "state": f.State, "limit": f.Limit,
		})
}

// Get finds a message in one of the projects; ErrNotFound when it is not there.
func (s Alerts) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (AlertRow, error) {
	list, err := s.list(ctx, "get an alert", alertColumns+` where a.id = $1 and a.project_id = any($2)`, id, projects)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return AlertRow{}, err
	}
	return list[0], nil
}

func (s Alerts) list(ctx context.Context, what, sql string, values ...any) ([]AlertRow, error) {
	rows, err := s.Q.Query(ctx, sql, values...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[AlertRow])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// DropOld forgets up to limit messages that were made before an instant.
func (s Alerts) DropOld(ctx context.Context, before time.Time, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		delete from alerts where id in (select id from alerts where id < first_id_at($1) and state <> 'kept' order by id limit $2)`, before, limit)
	if err != nil {
		return 0, fmt.Errorf("drop old alerts: %w", err)
	}
	return tag.RowsAffected(), nil
}

// ClaimedDelivery is a delivery that a worker has taken.
type ClaimedDelivery struct {
	AlertID    uuid.UUID       `db:"alert_id"`
	ChannelID  uuid.UUID       `db:"channel_id"`
	Attempt    int             `db:"attempts"`
	ProjectID  uuid.UUID       `db:"project_id"`
	WorkflowID *uuid.UUID      `db:"workflow_id"`
	Kind       alert.Kind      `db:"kind"`
	Facts      alert.Facts     `db:"facts"`
	Title      string          `db:"title"`
	Text       string          `db:"text"`
	Name       *string         `db:"name"` // of the channel; nil: it was removed
	Action     *string         `db:"action"`
	Config     json.RawMessage `db:"config"`
	Tried      int             `db:"tried"` // attempts that failed
	Now        time.Time       `db:"now"`
}

// Claim takes up to limit deliveries that are due, for as long as lease says: those of a worker that was lost meanwhile are due
// again then, and that is noted as an attempt that failed.
func (s Alerts) Claim(ctx context.Context, worker string, lease time.Duration, limit int) ([]ClaimedDelivery, error) {
	rows, err := s.Q.Query(ctx, `
		with mine as materialized (
		    select alert_id, channel_id, state from alert_deliveries
		     where state in ('waiting', 'sending') and due_at <= now() order by due_at limit @limit for update skip locked),
		taken as (
		    update alert_deliveries d
		       set state = 'sending', attempts = d.attempts + 1, worker = @worker, due_at = now() + make_interval(secs => @lease),
		           tries = case when mine.state = 'waiting' then d.tries else d.tries || jsonb_build_array(jsonb_build_object(
		                   'at', now(), 'class', 'worker_lost', 'error', 'the worker was lost; whether the message arrived is not known')) end
		      from mine where d.alert_id = mine.alert_id and d.channel_id = mine.channel_id
		 returning d.alert_id, d.channel_id, d.attempts, jsonb_array_length(d.tries) as tried)
		select t.alert_id, t.channel_id, t.attempts, a.project_id, a.workflow_id, a.kind, a.facts, a.title, a.text, c.name, c.action, c.config, t.tried, now() as now
		  from taken t join alerts a on a.id = t.alert_id left join alert_channels c on c.id = t.channel_id`,
		args{"worker": worker, "lease": lease.Seconds(), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("claim alerts: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[ClaimedDelivery])
	if err != nil {
		return nil, fmt.Errorf("claim alerts: %w", err)
	}
	return list, nil
}

// DeliveryResult is how an attempt went. Failed without Again is the end of it.
type DeliveryResult struct {
	Sent   bool
	Failed *DeliveryTry  // nil: it was sent, or not tried
	Again  bool          // it is to be tried again
	Delay  time.Duration // before that
}

// Finish stores how an attempt went, if the worker still has it.
func (s Alerts) Finish(ctx context.Context, worker string, c ClaimedDelivery, r DeliveryResult) error {
	state := DeliveryFailed
	switch {
	case r.Sent:
		state = DeliverySent
	case r.Again:
		state = DeliveryWaiting
	}
	tries := []DeliveryTry{}
	if r.Failed != nil {
		tries = append(tries, *r.Failed)
	}
	_, err := s.Q.Exec(ctx, `
		update alert_deliveries
		   set state = @state, worker = null, due_at = now() + make_interval(secs => @delay), tries = tries || @tries::jsonb,
		       attempts = attempts - case when @state = 'waiting' and @tries::jsonb = '[]' then 1 else 0 end, sent_at = case when @state = 'sent' then now() end
		 where alert_id = @alert and channel_id = @channel and worker = @worker and attempts = @attempt and state = 'sending'`,
		args{
			"alert": c.AlertID, "channel": c.ChannelID, "worker": worker, "attempt": c.Attempt, "state": state, "delay": r.Delay.Seconds(), "tries": tries,
		})
	if err != nil {
		return fmt.Errorf("note how an alert was sent: %w", translate(err))
	}
	return nil
}

// Retry lets deliveries of a message that failed be tried once more, from the beginning; false when there are none.
func (s Alerts) Retry(ctx context.Context, id uuid.UUID) (bool, error) {
	tag, err := s.Q.Exec(ctx, `update alert_deliveries set state = 'waiting', due_at = now() where alert_id = $1 and state = 'failed'`, id)
	if err != nil {
		return false, fmt.Errorf("try an alert again: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// Beat answers whether it is the caller's turn to tell the outside that all is well: nobody has for that long.
func (s Alerts) Beat(ctx context.Context, every time.Duration) (bool, error) {
	tag, err := s.Q.Exec(ctx, `update installation_beat set beat_at = now() where beat_at <= now() - make_interval(secs => $1)`, every.Seconds())
	if err != nil {
		return false, fmt.Errorf("take the turn to beat: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}
