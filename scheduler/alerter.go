package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
)

const (
	newsBatch  = 500  // news that one transaction takes
	watchBatch = 1000 // live runs that one transaction looks at
	tellBatch  = 200  // messages of each sort that one transaction makes
)

// alerter makes of what happened what people want to hear. What the matter is, and what was said of it, is decided in one
// transaction that takes the news: each cause counts once, whoever is killed when. One scheduler at a time does it.
type alerter struct {
	db      *postgres.DB
	log     *slog.Logger
	storage int // bytes that a project may store, unless something else was decided; 0: any number
	wake    chan struct{}
	at      uuid.UUID // the last live run that was looked at
}

// step does what is to do, and answers how long nobody need look.
func (a *alerter) step(ctx context.Context) (time.Duration, error) {
	var round alertRound
	err := a.db.InTx(ctx, func(q postgres.Querier) error {
		round = alertRound{q: q, at: a.at, storage: a.storage}
		free, err := postgres.AlertIncidents{Q: q}.TryLock(ctx)
		if err != nil || !free {
			return err
		}
		return round.run(ctx)
	})
	if err != nil {
		return 0, err
	}
	a.at = round.at
	if round.made > 0 {
		a.log.InfoContext(ctx, "alerts made", "alerts", round.made)
	}
	if round.more {
		return 0, nil
	}
	return longestSleep, nil
}

// alertRound is one look at everything.
type alertRound struct {
	q       postgres.Querier
	now     time.Time
	at      uuid.UUID
	storage int
	rules   []postgres.RuleRow
	made    int
	more    bool // there is more to do at once
}

func (r *alertRound) run(ctx context.Context) (err error) {
	if r.now, err = postgres.Now(ctx, r.q); err != nil {
		return err
	}
	if r.rules, err = (postgres.AlertRules{Q: r.q}).On(ctx, alert.Kinds...); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{r.hear, r.watch, r.measure, r.tell, r.end, r.release} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hear takes the news, and adds what rules make of them.
func (r *alertRound) hear(ctx context.Context) error {
	store := postgres.AlertNews{Q: r.q}
	news, err := store.Take(ctx, newsBatch)
	if err != nil || len(news) == 0 {
		return err
	}
	r.more = len(news) == newsBatch
	var failed []uuid.UUID
	for _, n := range news {
		if n.Kind == alert.Failure {
			failed = append(failed, *n.RunID)
		}
	}
	streaks, err := store.Streaks(ctx, failed, alert.MaxInARow)
	if err != nil {
		return err
	}
	causes := newCauses()
	for _, n := range news {
		for _, rule := range r.rules {
			if rule.ProjectID != n.ProjectID || !rule.Spec.Wants(n.Kind) || !rule.Spec.Covers(n.WorkflowID) {
				continue
			}
			c := postgres.Cause{
				IncidentKey: postgres.IncidentKey{RuleID: rule.ID, Kind: n.Kind, Subject: n.WorkflowID},
				WorkflowID:  &n.WorkflowID, TriggerID: n.TriggerID, RunID: n.RunID, At: n.At, Count: n.Count, Code: n.Code, Reason: n.Reason,
			}
			switch {
			case n.Kind != alert.Failure:
				c.Subject = *n.TriggerID
			case streaks[*n.RunID] < rule.Spec.AfterFailures:
				continue
			}
			causes.add(c)
		}
	}
	return postgres.AlertIncidents{Q: r.q}.Add(ctx, causes.list)
}

// causes are causes of incidents, those of the same one joined.
type causes struct {
	list []postgres.Cause
	at   map[postgres.IncidentKey]int
}

func newCauses() *causes { return &causes{at: map[postgres.IncidentKey]int{}} }

func (c *causes) add(one postgres.Cause) {
	i, known := c.at[one.IncidentKey]
	if !known {
		c.at[one.IncidentKey] = len(c.list)
		c.list = append(c.list, one)
		return
	}
	one.Count += c.list[i].Count
	if one.At.Before(c.list[i].At) {
		one.At, one.RunID = c.list[i].At, c.list[i].RunID
	}
	c.list[i] = one
}

// watch looks at some of the live runs for those that are late or held, and goes on with others the next time.
func (r *alertRound) watch(ctx context.Context) error {
	var projects []uuid.UUID
	for _, rule := range r.rules {
		if rule.Spec.Wants(alert.LateStart) || rule.Spec.Wants(alert.LateFinish) || rule.Spec.Wants(alert.Held) {
			projects = append(projects, rule.ProjectID)
		}
	}
	if len(projects) == 0 {
		return nil
	}
	store := postgres.AlertNews{Q: r.q}
	runs, last, err := store.Watched(ctx, projects, r.at, watchBatch)
	if err != nil {
		return err
	}
	r.at = last
	var seen []postgres.Seen
	byRun := map[uuid.UUID]postgres.WatchedRun{}
	for _, w := range runs {
		byRun[w.ID] = w
		for _, rule := range r.rules {
			if rule.ProjectID == w.ProjectID && rule.Spec.Covers(w.WorkflowID) {
				seen = append(seen, sightings(rule, w)...)
			}
		}
	}
	fresh, err := store.See(ctx, seen)
	if err != nil {
		return err
	}
	causes := newCauses()
	for _, one := range seen {
		if !fresh[one] {
			continue
		}
		w := byRun[one.RunID]
		c := postgres.Cause{
			IncidentKey: postgres.IncidentKey{RuleID: one.RuleID, Kind: one.Kind, Subject: w.WorkflowID},
			WorkflowID:  &w.WorkflowID, RunID: &w.ID, At: one.At, Count: 1,
		}
		if one.Kind == alert.Held {
			c.Reason = w.Reason
		}
		causes.add(c)
	}
	return postgres.AlertIncidents{Q: r.q}.Add(ctx, causes.list)
}

// measure looks for projects whose storage fills.
func (r *alertRound) measure(ctx context.Context) error {
	var rules []uuid.UUID
	for _, rule := range r.rules {
		if rule.Spec.Wants(alert.Storage) {
			rules = append(rules, rule.ID)
		}
	}
	if len(rules) == 0 {
		return nil
	}
	filling, err := postgres.Storage{Q: r.q}.Filling(ctx, rules, r.storage)
	if err != nil {
		return err
	}
	causes := newCauses()
	for rule, stored := range filling {
		reason := fmt.Sprintf("%d MB / %d MB (%d %%)", stored.Bytes/quota.Megabyte, stored.Most/quota.Megabyte, stored.Bytes*100/stored.Most)
		causes.add(postgres.Cause{
			IncidentKey: postgres.IncidentKey{RuleID: rule, Kind: alert.Storage, Subject: stored.ProjectID}, At: r.now, Count: 1, Reason: &reason,
		})
	}
	return postgres.AlertIncidents{Q: r.q}.Add(ctx, causes.list)
}

// sightings are what a rule finds wrong with a live run.
func sightings(rule postgres.RuleRow, w postgres.WatchedRun) (seen []postgres.Seen) {
	see := func(kind alert.Kind, at time.Time) {
		seen = append(seen, postgres.Seen{RuleID: rule.ID, Kind: kind, RunID: w.ID, At: at.UTC()})
	}
	if by := w.DueAt.Add(time.Duration(rule.Spec.StartWithin)); rule.Spec.Wants(alert.LateStart) && w.StartedAt == nil && !w.Now.Before(by) {
		see(alert.LateStart, w.DueAt)
	}
	if by := w.DueAt.Add(time.Duration(rule.Spec.FinishWithin)); rule.Spec.Wants(alert.LateFinish) && !w.Now.Before(by) {
		see(alert.LateFinish, w.DueAt)
	}
	if rule.Spec.Wants(alert.Held) && w.HeldAt != nil {
		see(alert.Held, *w.HeldAt)
	}
	return seen
}

// tell makes the messages about what nobody was told yet.
func (r *alertRound) tell(ctx context.Context) error {
	store := postgres.AlertIncidents{Q: r.q}
	untold, err := store.Untold(ctx, tellBatch)
	if err != nil || len(untold) == 0 {
		return err
	}
	r.more = r.more || len(untold) == tellBatch
	for _, i := range untold {
		facts := factsOf(i)
		facts.At, facts.More, facts.Again = i.LastAt, i.Count-i.Told, i.ToldAt != nil
		if err := r.say(ctx, i, i.Kind, facts); err != nil {
			return err
		}
	}
	return store.Told(ctx, untold)
}

// end ends what is over, and tells those who were told that it began.
func (r *alertRound) end(ctx context.Context) error {
	store := postgres.AlertIncidents{Q: r.q}
	over, err := store.Over(ctx, r.storage, tellBatch)
	if err != nil || len(over) == 0 {
		return err
	}
	r.more = r.more || len(over) == tellBatch
	for _, i := range over {
		if i.ToldAt == nil || i.Silent || !i.Spec.Wants(alert.Recovery) || !i.Spec.Enabled {
			continue
		}
		facts := factsOf(i)
		facts.At, facts.Of, facts.Step, facts.Error, facts.Code, facts.Reason, facts.Within = r.now, i.Kind, "", "", "", "", ""
		if err := r.say(ctx, i, alert.Recovery, facts); err != nil {
			return err
		}
	}
	return store.End(ctx, over)
}

func factsOf(i postgres.Incident) alert.Facts {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	f := alert.Facts{
		Rule: i.Spec.Name, Workflow: i.Name, RunID: i.RunID, Trigger: text(i.TriggerKey), Code: text(i.Code), Reason: text(i.Reason),
		Since: i.Since, Count: i.Count,
	}
	switch i.Kind {
	case alert.Failure:
		f.Step, f.Error, f.Streak = text(i.Step), short(text(i.Error)), i.Spec.AfterFailures
	case alert.LateStart:
		f.Within = i.Spec.StartWithin.String()
	case alert.LateFinish:
		f.Within = i.Spec.FinishWithin.String()
	}
	return f
}

// mostSaid is how much of an error a message holds, in characters; all of it stands in the run.
const mostSaid = 1000

func short(text string) string {
	if all := []rune(text); len(all) > mostSaid {
		return string(all[:mostSaid-1]) + "…"
	}
	return text
}

// say makes a message, which waits when the rule's hours are quiet.
func (r *alertRound) say(ctx context.Context, i postgres.Incident, kind alert.Kind, facts alert.Facts) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an alert id: %w", err)
	}
	fresh := postgres.NewAlert{
		ID: id, ProjectID: i.ProjectID, RuleID: &i.RuleID, WorkflowID: i.WorkflowID, Kind: kind, Facts: facts,
		Message: alert.Write(kind, facts, i.Spec.Language, i.Spec.Zone()), State: postgres.AlertOut, Channels: i.Spec.Channels,
	}
	if until := i.Spec.Quiet.Until(r.now, i.Spec.Zone()); !until.IsZero() {
		fresh.State, fresh.ReleaseAt, fresh.Channels = postgres.AlertKept, &until, nil
		if i.Spec.Quiet.Drop {
			fresh.State, fresh.ReleaseAt = postgres.AlertDropped, nil
		}
	}
	r.made++
	return postgres.Alerts{Q: r.q}.Insert(ctx, []postgres.NewAlert{fresh})
}

// release sends what was kept during quiet hours that are over: a single message as it is, several as one digest.
func (r *alertRound) release(ctx context.Context) error {
	store := postgres.Alerts{Q: r.q}
	ripe, err := store.Ripe(ctx, newsBatch)
	if err != nil {
		return err
	}
	r.more = r.more || len(ripe) == newsBatch
	for len(ripe) > 0 {
		n := 1
		for n < len(ripe) && sameRule(ripe[0], ripe[n]) {
			n++
		}
		if err := r.digest(ctx, ripe[:n]); err != nil {
			return err
		}
		ripe = ripe[n:]
	}
	return nil
}

func sameRule(a, b postgres.Kept) bool {
	return a.RuleID == b.RuleID || a.RuleID != nil && b.RuleID != nil && *a.RuleID == *b.RuleID
}

// digest sends the kept messages of one rule.
func (r *alertRound) digest(ctx context.Context, kept []postgres.Kept) error {
	store := postgres.Alerts{Q: r.q}
	ids := make([]uuid.UUID, len(kept))
	titles := make([]string, len(kept))
	for i, k := range kept {
		ids[i], titles[i] = k.ID, k.Title
	}
	rule := kept[0].Spec
	switch {
	case rule == nil || !rule.Enabled:
		return store.Settle(ctx, ids, postgres.AlertDropped, nil)
	case len(kept) == 1:
		if err := store.Settle(ctx, ids, postgres.AlertOut, nil); err != nil {
			return err
		}
		return store.Send(ctx, ids[0], rule.Channels)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an alert id: %w", err)
	}
	facts := alert.Facts{Rule: rule.Name, Since: kept[0].CreatedAt, At: r.now, Count: len(kept), Told: titles}
	r.made++
	err = store.Insert(ctx, []postgres.NewAlert{{
		ID: id, ProjectID: kept[0].ProjectID, RuleID: kept[0].RuleID, Kind: alert.Digest, Facts: facts,
		Message: alert.Write(alert.Digest, facts, rule.Language, rule.Zone()), State: postgres.AlertOut, Channels: rule.Channels,
	}})
	if err != nil {
		return err
	}
	return store.Settle(ctx, ids, postgres.AlertDigested, &id)
}
