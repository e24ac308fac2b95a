package api

import (
	"cmp"
	"context"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// What an overview holds at most: it is read often, and by people.
const (
	lookAhead     = 24 * time.Hour
	mostAttention = 20 // of each kind
	mostLanes     = 40
	mostFires     = 48 // of each lane: one each half an hour
)

// GetOverview implements the contract.
func (s *server) GetOverview(ctx context.Context, req oas.GetOverviewRequestObject) (oas.GetOverviewResponseObject, error) {
	where, err := projects(ctx, account.RunRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	now, err := postgres.Now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	out := oas.GetOverview200JSONResponse{
		From: wire.At(now), To: wire.At(now.Add(lookAhead)), Attention: []oas.Attention{}, Lanes: []oas.Lane{},
	}
	found, err := postgres.Stats{Q: s.db}.Attention(ctx, where, mostAttention)
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		out.Attention = append(out.Attention, oas.Attention{
			Kind: oas.AttentionKind(a.Kind), WorkflowId: a.WorkflowID, WorkflowName: a.WorkflowName, Since: wire.Maybe(a.Since),
			Count: int32(a.Count), Detail: a.Detail, TriggerId: a.TriggerKey, RunId: a.RunID, //nolint:gosec // bounded
		})
	}
	coming, err := postgres.Triggers{Q: s.db}.Upcoming(ctx, where, lookAhead, mostLanes+1)
	if err != nil {
		return nil, err
	}
	if out.MoreLanes = len(coming) > mostLanes; out.MoreLanes {
		coming = coming[:mostLanes]
	}
	calendars, err := s.calendarsOf(ctx, coming)
	if err != nil {
		return nil, err
	}
	for _, u := range coming {
		dates := calendars[postgres.CalendarKey{ProjectID: u.ProjectID, Name: u.Spec.Calendar}]
		lane, err := laneOf(u, dates, now, now.Add(lookAhead))
		if err != nil {
			// It was saved by a version that knew more, or less; the ticker logs it.
			s.log.DebugContext(ctx, "trigger not shown", "trigger_id", u.TriggerID, "error", err)
			continue
		}
		if len(lane.Fires) > 0 {
			out.Lanes = append(out.Lanes, lane)
		}
	}
	return out, nil
}

func (s *server) calendarsOf(ctx context.Context, coming []postgres.Upcoming) (map[postgres.CalendarKey][]string, error) {
	seen := map[postgres.CalendarKey]bool{}
	var keys []postgres.CalendarKey
	for _, u := range coming {
		key := postgres.CalendarKey{ProjectID: u.ProjectID, Name: u.Spec.Calendar}
		if key.Name != "" && !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return postgres.Calendars{Q: s.db}.Dates(ctx, keys)
}

// laneOf lists when the runs of a trigger begin between two instants.
func laneOf(u postgres.Upcoming, dates []string, from, to time.Time) (oas.Lane, error) {
	spec := u.Spec.Spec(u.AnchorAt)
	compiled, err := schedule.Compile(spec)
	if err != nil {
		return oas.Lane{}, err
	}
	lane := oas.Lane{
		WorkflowId: u.WorkflowID, WorkflowName: u.WorkflowName, TriggerId: u.Key, Timezone: cmp.Or(spec.Timezone, "UTC"),
		Fires: []wire.Instant{},
	}
	most := mostFires
	if u.Spec.MaxRuns > 0 {
		most = min(most, u.Spec.MaxRuns-u.RunsMade)
	}
	after := u.NextFireAt.Add(-time.Nanosecond)
	if from.After(after) {
		after = from
	}
	off := u.Spec.DaysOff(dates)
	for t := compiled.NextRunning(after, off, nil); !t.IsZero(); t = compiled.NextRunning(t, off, nil) {
		start := compiled.Start(t, time.Duration(u.Spec.Jitter), u.TriggerID.String())
		if !start.Before(to) {
			break
		}
		if len(lane.Fires) >= most {
			lane.More = most == mostFires
			break
		}
		lane.Fires = append(lane.Fires, wire.At(start))
	}
	return lane, nil
}
