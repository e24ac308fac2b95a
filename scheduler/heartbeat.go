package scheduler

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// lookAgain is how often a heartbeat that is late is looked at, in case that the word of its ping was lost.
const lookAgain = time.Minute

// heartbeatsOf picks the triggers that wait for pings.
func heartbeatsOf(rows []postgres.TriggerRow) (ids []uuid.UUID) {
	for _, r := range rows {
		if r.Spec.Type == workflow.TriggerHeartbeat {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// planPings decides about a heartbeat that is to be looked at: whether its ping is late, or has come again after that, and
// when it is to be looked at next. Pings move nothing themselves, so that most looks only find out that all is well. late gets
// what is to be noted about it.
func planPings(d due, beat postgres.Heartbeat, now time.Time, late map[uuid.UUID]*time.Time) (plan, error) {
	compiled, err := schedule.Compile(d.Spec.Spec(d.AnchorAt))
	if err != nil {
		return plan{}, fmt.Errorf("compile the schedule of pings: %w", err)
	}
	p := planner{due: d, schedule: compiled, now: now}
	state := expect(d.Spec, compiled, beat)
	switch {
	case beat.LateSince != nil && beat.PingedAt != nil && beat.PingedAt.After(*beat.LateSince) && beat.FailedAt == nil:
		if d.Spec.OnRecovery {
			_, err = p.begin(*beat.PingedAt, postgres.OutcomeRan, recovery(beat))
		}
		late[d.ID] = nil
		p.step.Due = &state.deadline
	case beat.LateSince != nil:
		again := now.Add(lookAgain)
		p.step.Due = &again
	case !now.Before(state.deadline):
		since := state.expected
		_, err = p.begin(p.free(since), postgres.OutcomeRan, lateness(beat, state))
		late[d.ID] = &since
		again := now.Add(lookAgain)
		p.step.Due = &again
	default:
		p.step.Due = &state.deadline
	}
	return p.plan, err
}

// free is the instant, or the next after it that the ledger does not account for.
func (p *planner) free(at time.Time) time.Time {
	if p.DecidedAt != nil && !at.After(*p.DecidedAt) {
		return p.DecidedAt.Add(time.Microsecond)
	}
	return at
}

// expectation is when a job has to be heard of.
type expectation struct {
	expected time.Time
	deadline time.Time // with the grace
	code     string    // what it means when it passes
}

// expect says when a job has to be heard of next: by the next ping's time, soon after it began, and at once when it failed.
func expect(t workflow.Trigger, s *schedule.Schedule, beat postgres.Heartbeat) expectation {
	if beat.FailedAt != nil {
		return expectation{*beat.FailedAt, *beat.FailedAt, postgres.CodePingFailed}
	}
	next := t.NextPing(s, beat.Last())
	e := expectation{next, next.Add(t.PingGrace()), postgres.CodePingLate}
	if beat.StartedAt != nil && beat.StartedAt.Add(t.PingGrace()).Before(e.deadline) {
		e = expectation{*beat.StartedAt, beat.StartedAt.Add(t.PingGrace()), postgres.CodePingUnfinished}
	}
	return e
}

// lateness is the event of a ping that did not come.
func lateness(beat postgres.Heartbeat, e expectation) event {
	says := map[string]string{
		postgres.CodePingLate: "no ping came", postgres.CodePingFailed: "the job said that it failed",
		postgres.CodePingUnfinished: "the job began and did not end in time",
	}
	return event{
		code: e.code, reason: says[e.code],
		inputs: map[string]any{"late": map[string]any{
			"since": stampOf(&e.expected), "last_ping": stampOf(beat.PingedAt), "why": e.code, "message": beat.Message,
		}},
	}
}

// recovery is the event of a ping that came again.
func recovery(beat postgres.Heartbeat) event {
	return event{
		code: postgres.CodePingAgain, reason: "pings came again",
		inputs: map[string]any{"recovered": map[string]any{
			"at": stampOf(beat.PingedAt), "late_since": stampOf(beat.LateSince), "seconds": beat.PingedAt.Sub(*beat.LateSince).Seconds(),
		}},
	}
}

// stampOf writes an instant as the API does; nil for none.
func stampOf(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
