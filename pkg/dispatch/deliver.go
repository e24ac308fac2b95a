package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// ErrChanged says that a trigger is not any more what it was taken for: look again, and decide anew.
var ErrChanged = errors.New("the trigger has changed")

// Delivery is what arrived at a webhook trigger, as it is to be stored. ID is the run's too if it becomes one.
type Delivery struct {
	postgres.DeliveryRow
	Hook   postgres.Addressed // what it was decided by
	Inputs json.RawMessage    // of the run
	Keys   []Key              // that tell it from others
	Replay bool               // a person wants it: neither keys nor the overlap policy hold it back
	Note   *audit.Entry       // of the audit log, where a person wants it
}

// Key tells deliveries of the same thing, for a time.
type Key struct {
	Hash [32]byte
	Life time.Duration
}

// Delivered is what became of a delivery.
type Delivered struct {
	Verdict string
	Code    string     // of one that was skipped
	RunID   *uuid.UUID // the run it became, or that of the first like it
	made    *postgres.Inserted
	run     postgres.NewRun
	changed bool
	refused *fault.Error // its project has used up its quota: nothing is stored
}

const (
	// mostDeliveries is how many deliveries may wait for their turn to be written.
	mostDeliveries = 5000
	// mostRefusals is how many refused ones may; those beyond are not listed.
	mostRefusals = 200
)

// Deliver stores a delivery and its run in one transaction, which it shares with others that arrive at the same time. Errors:
// ErrChanged; Unavailable when too many are waiting.
func (s *Service) Deliver(ctx context.Context, d Delivery) (Delivered, error) {
	done, err := s.deliveries.Do(ctx, d)
	switch {
	case err != nil:
		return done, err
	case done.changed:
		return done, ErrChanged
	case done.refused != nil:
		return done, done.refused
	case done.made == nil:
		return done, nil
	}
	// The run is committed: a caller who leaves does not keep it from the queue.
	if _, err := s.fresh.Do(context.WithoutCancel(ctx), committed{done.run, *done.made}); err != nil {
		s.log.DebugContext(ctx, "run not handed out; the dispatcher will", "run_id", done.run.ID, "error", err)
	}
	return done, nil
}

// Refuse lists a delivery that is turned away. It is a service to people: nobody waits for it, and under load it is left out.
func (s *Service) Refuse(ctx context.Context, d postgres.DeliveryRow) {
	go func() {
		if _, err := s.refusals.Do(context.WithoutCancel(ctx), d); err != nil {
			s.log.DebugContext(ctx, "refused delivery not listed", "trigger", d.TriggerID, "error", err)
		}
	}()
}

// writeDeliveries writes deliveries and their runs in one transaction.
func (s *Service) writeDeliveries(ctx context.Context, list []Delivery) ([]Delivered, error) {
	var w *delivering
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		w = &delivering{Querier: q, list: list, done: make([]Delivered, len(list))}
		if err := w.write(ctx, s); err != nil {
			return err
		}
		for _, d := range list {
			if d.Note == nil {
				continue
			}
			if err := postgres.NoteEntry(q, *d.Note); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(w.cancel) > 0 {
		if err := s.CancelRuns(ctx, w.cancel, makeWay); err != nil {
			s.log.WarnContext(ctx, "runs that make way are not cancelled yet; they will be", "error", err)
		}
	}
	return w.done, nil
}

// makeWay is why a run is cancelled whose trigger wants that.
const makeWay = "a newer run of its trigger was due"

// delivering is what one transaction does with the deliveries that arrived together.
type delivering struct {
	postgres.Querier
	list   []Delivery
	done   []Delivered
	cancel []uuid.UUID
}

func (w *delivering) write(ctx context.Context, s *Service) error {
	if err := w.check(ctx); err != nil {
		return err
	}
	keys, err := w.reserve(ctx)
	if err != nil {
		return err
	}
	if err := w.admit(ctx, keys); err != nil {
		return err
	}
	if err := w.keepToQuotas(ctx, s, keys); err != nil {
		return err
	}
	var rows []postgres.DeliveryRow
	var runs []postgres.NewRun
	var at []int
	for i, d := range w.list {
		done := &w.done[i]
		if done.changed || done.refused != nil {
			continue
		}
		row := d.DeliveryRow
		row.Verdict, row.RunID = done.Verdict, done.RunID
		if done.Code != "" {
			reason := SkipReasons[done.Code]
			row.Code, row.Reason = &done.Code, &reason
		}
		rows = append(rows, row)
		if done.Verdict == postgres.VerdictAccepted {
			runs, at = append(runs, done.run), append(at, i)
		}
	}
	if err := (postgres.Deliveries{Q: w}).Insert(ctx, rows); err != nil {
		return err
	}
	if _, err := (postgres.Live{Q: w}).AskCancel(ctx, w.cancel, makeWay); err != nil {
		return err
	}
	made, err := postgres.Runs{Q: w}.Insert(ctx, runs, s.queue.Room(ctx))
	if err != nil {
		return err
	}
	byID := make(map[uuid.UUID]*postgres.Inserted, len(made))
	for i := range made {
		byID[made[i].ID] = &made[i]
	}
	for _, i := range at {
		w.done[i].made = byID[w.list[i].ID]
	}
	return nil
}

// SkipReasons say, by their codes, for people why a delivery has no run.
var SkipReasons = map[string]string{
	postgres.CodeOverlap:   "a run of the trigger has not finished",
	postgres.CodeQueueFull: "as many runs of the trigger wait as may",
}

// check finds out which deliveries were decided by what is so no more, and makes the runs of the others.
func (w *delivering) check(ctx context.Context) error {
	var ids []uuid.UUID
	for _, d := range w.list {
		if !d.Replay && !slices.Contains(ids, d.TriggerID) {
			ids = append(ids, d.TriggerID)
		}
	}
	current, err := postgres.Triggers{Q: w}.Stamps(ctx, ids)
	if err != nil {
		return err
	}
	for i, d := range w.list {
		stamp := current[d.TriggerID]
		w.done[i].Verdict = d.Verdict
		if !d.Replay && (stamp.Version != d.Hook.Version || !stamp.Enabled) {
			w.done[i].changed = true
			continue
		}
		if d.Verdict == postgres.VerdictAccepted {
			w.done[i].RunID = &w.list[i].ID
			w.done[i].run = postgres.NewRun{
				ID: d.ID, ProjectID: d.ProjectID, WorkflowID: d.WorkflowID, Version: d.Hook.Version, Trigger: run.Webhook,
				TriggerID: &w.list[i].TriggerID, Inputs: d.Inputs,
			}
			if d.Hook.Version < 0 { // a draft's run is none of the trigger's: it holds up no other
				w.done[i].run.TriggerID = nil
			}
		}
	}
	return nil
}

// reserve notes the deliveries' keys, and makes duplicates of those whose key stands for another delivery already. It answers
// the keys that stand for a delivery of this transaction.
func (w *delivering) reserve(ctx context.Context) (own map[int][]postgres.DeliveryKey, err error) {
	type name struct {
		trigger uuid.UUID
		hash    [32]byte
	}
	var keys []postgres.DeliveryKey
	var of []int
	here := map[name]int{} // whose key it is, among these deliveries
	for i, d := range w.list {
		if w.done[i].changed || w.done[i].Verdict != postgres.VerdictAccepted {
			continue
		}
		for _, k := range d.Keys {
			n := name{d.TriggerID, k.Hash}
			if first, ok := here[n]; ok {
				if first != i && w.done[i].Verdict == postgres.VerdictAccepted {
					w.duplicate(i, w.list[first].ID)
				}
				continue
			}
			here[n] = i
			keys = append(keys, postgres.DeliveryKey{TriggerID: d.TriggerID, Hash: k.Hash, RunID: d.ID, Life: k.Life})
			of = append(of, i)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	firsts, err := postgres.Deliveries{Q: w}.Reserve(ctx, keys)
	if err != nil {
		return nil, err
	}
	for j, first := range firsts {
		if i := of[j]; first != keys[j].RunID && w.done[i].Verdict == postgres.VerdictAccepted {
			w.duplicate(i, first)
		}
	}
	w.followDuplicates()
	own = map[int][]postgres.DeliveryKey{}
	var moved []postgres.DeliveryKey
	for j, first := range firsts {
		i := of[j]
		if first != keys[j].RunID {
			continue
		}
		if w.done[i].Verdict == postgres.VerdictDuplicate { // by another of its keys: this one stands for the same run
			keys[j].RunID = *w.done[i].RunID
			moved = append(moved, keys[j])
			continue
		}
		own[i] = append(own[i], keys[j])
	}
	return own, postgres.Deliveries{Q: w}.Reassign(ctx, moved)
}

func (w *delivering) duplicate(i int, first uuid.UUID) {
	w.done[i].Verdict, w.done[i].RunID = postgres.VerdictDuplicate, &first
}

// followDuplicates lets duplicates of duplicates name the run of the first.
func (w *delivering) followDuplicates() {
	byID := make(map[uuid.UUID]*Delivered, len(w.list))
	for i := range w.list {
		byID[w.list[i].ID] = &w.done[i]
	}
	for i := range w.done {
		d := &w.done[i]
		for range w.list {
			first := byID[idOf(d.RunID)]
			if d.Verdict != postgres.VerdictDuplicate || first == nil || first.Verdict != postgres.VerdictDuplicate {
				break
			}
			d.RunID = first.RunID
		}
	}
}

func idOf(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.UUID{}
	}
	return *id
}

// admit lets runs begin, wait or stay away as the overlap policies of their triggers say.
func (w *delivering) admit(ctx context.Context, keys map[int][]postgres.DeliveryKey) error {
	var triggers []uuid.UUID
	for i, d := range w.list {
		if w.done[i].Verdict == postgres.VerdictAccepted && w.overlap(i) != schedule.OverlapAllow && !slices.Contains(triggers, d.TriggerID) {
			triggers = append(triggers, d.TriggerID)
		}
	}
	live, err := lockLive(ctx, w, triggers)
	if err != nil {
		return err
	}
	var free []postgres.DeliveryKey
	skipped := map[uuid.UUID]bool{}
	for i, d := range w.list {
		policy := w.overlap(i)
		if w.done[i].changed || w.done[i].Verdict != postgres.VerdictAccepted || policy == schedule.OverlapAllow {
			continue
		}
		runs, waiting := live[d.TriggerID], 0
		for _, r := range runs {
			if r.Blocked {
				waiting++
			}
		}
		admission := policy.Admit(len(runs), waiting)
		code := ""
		switch admission {
		case schedule.RefuseFull:
			code = postgres.CodeQueueFull
		case schedule.RefuseOver, schedule.RefuseWaits:
			code = postgres.CodeOverlap
		case schedule.AdmitInstead:
			for _, r := range runs {
				w.cancel = append(w.cancel, r.ID)
			}
		}
		if code != "" {
			w.done[i].Verdict, w.done[i].Code, w.done[i].RunID = postgres.VerdictSkipped, code, nil
			free = append(free, keys[i]...)
			skipped[d.ID] = true
			continue
		}
		blocked := admission != schedule.AdmitNow
		w.done[i].run.Blocked = blocked
		live[d.TriggerID] = append(runs, postgres.LiveRun{ID: d.ID, Blocked: blocked})
	}
	for i, done := range w.done {
		if done.Verdict == postgres.VerdictDuplicate && skipped[*done.RunID] { // the first like it is not to run, so neither is it
			w.done[i].Verdict, w.done[i].Code, w.done[i].RunID = postgres.VerdictSkipped, postgres.CodeOverlap, nil
		}
	}
	return postgres.Deliveries{Q: w}.Free(ctx, free)
}

// keepToQuotas refuses deliveries whose projects may start no more runs now. What tells them from others is forgotten, so that
// they can come again.
func (w *delivering) keepToQuotas(ctx context.Context, s *Service, keys map[int][]postgres.DeliveryKey) error {
	var projects []uuid.UUID
	for i, d := range w.list {
		if !w.done[i].changed && w.done[i].Verdict == postgres.VerdictAccepted {
			projects = append(projects, d.ProjectID)
		}
	}
	allowed, err := s.Allowances(ctx, w, projects)
	if err != nil || len(allowed) == 0 {
		return err
	}
	var free []postgres.DeliveryKey
	refused := map[uuid.UUID]*fault.Error{}
	for i, d := range w.list {
		done := &w.done[i]
		if done.changed || done.Verdict != postgres.VerdictAccepted {
			continue
		}
		if done.refused = allowed[d.ProjectID].Take(); done.refused != nil {
			refused[d.ID] = done.refused
			free = append(free, keys[i]...)
		}
	}
	for i := range w.done {
		if done := &w.done[i]; done.Verdict == postgres.VerdictDuplicate && refused[idOf(done.RunID)] != nil {
			done.refused = refused[*done.RunID] // the first like it was
		}
	}
	return postgres.Deliveries{Q: w}.Free(ctx, free)
}

// overlap is the policy that counts for a delivery.
func (w *delivering) overlap(i int) schedule.Overlap {
	if w.list[i].Replay {
		return schedule.OverlapAllow
	}
	return w.list[i].Hook.Spec.OverlapPolicy()
}
