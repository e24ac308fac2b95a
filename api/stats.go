package api

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// How much one answer may hold: a month of hours, or somewhat more than a year of days.
const (
	mostHours = 31 * 24
	mostDays  = 400
)

// statsBack is the period that nobody named.
const statsBack = 14 * 24 * time.Hour

// GetStats implements the contract.
func (s *server) GetStats(ctx context.Context, req oas.GetStatsRequestObject) (oas.GetStatsResponseObject, error) {
	p := req.Params
	period, err := periodOf(p, s.clock.Now())
	if err != nil {
		return nil, err
	}
	where, err := projects(ctx, account.RunRead, p.ProjectId)
	if err != nil {
		return nil, err
	}
	counts, err := postgres.Stats{Q: s.db}.Counts(ctx, postgres.CountFilter{
		Projects: where, WorkflowID: (*uuid.UUID)(p.WorkflowId),
		From: period.from, To: period.to, Unit: string(period.unit), Zone: period.zone.String(),
	})
	if err != nil {
		return nil, err
	}
	return oas.GetStats200JSONResponse(period.stats(counts)), nil
}

// period is a time in whole hours or days of a zone.
type period struct {
	from, to time.Time
	unit     oas.GetStatsParamsBucket
	zone     *time.Location
}

func periodOf(p oas.GetStatsParams, now time.Time) (period, error) {
	out := period{to: now, unit: oas.GetStatsParamsBucketDay, zone: time.UTC}
	if p.Bucket != nil {
		out.unit = *p.Bucket
	}
	if p.Timezone != nil && *p.Timezone != "" {
		zone, err := time.LoadLocation(*p.Timezone)
		if err != nil || *p.Timezone == "Local" {
			return out, fault.At("timezone", "timezone_unknown", "there is no time zone %q", *p.Timezone)
		}
		out.zone = zone
	}
	if p.To != nil {
		out.to = p.To.UTC()
	}
	out.from = out.to.Add(-statsBack)
	if p.From != nil {
		out.from = p.From.UTC()
	}
	if out.from.Year() < 1970 || out.to.Year() > 2300 {
		return out, fault.At("from", "range", "the years must be from 1970 to 2300")
	}
	if !out.from.Before(out.to) {
		return out, fault.At("to", "range", "it must be after from")
	}
	most, long := mostDays, 24*time.Hour
	if out.unit == oas.GetStatsParamsBucketHour {
		most, long = mostHours, time.Hour
	}
	if out.to.Sub(out.from) > time.Duration(most)*long {
		return out, fault.At("from", "too_long", "a period has at most %d hours or %d days", mostHours, mostDays)
	}
	start := out.begin(out.from)
	if end := out.begin(out.to); end.Before(out.to) {
		out.to = out.after(end)
	}
	out.from = start
	return out, nil
}

// begin is the beginning of the hour or day that holds t.
func (p period) begin(t time.Time) time.Time {
	if p.unit == oas.GetStatsParamsBucketHour {
		return t.UTC().Truncate(time.Hour)
	}
	y, m, d := t.In(p.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, p.zone)
}

// after is the beginning of the hour or day after the one that begins at t.
func (p period) after(t time.Time) time.Time {
	if p.unit == oas.GetStatsParamsBucketHour {
		return t.Add(time.Hour)
	}
	y, m, d := t.In(p.zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, p.zone)
}

func (p period) stats(counts []postgres.Count) oas.Stats {
	var total tally
	slots := map[int64]*tally{}
	for _, c := range counts {
		slot := slots[c.At.Unix()]
		if slot == nil {
			slot = &tally{}
			slots[c.At.Unix()] = slot
		}
		slot.add(c)
		total.add(c)
	}
	out := oas.Stats{
		From: wire.At(p.from), To: wire.At(p.to), Timezone: p.zone.String(), Bucket: oas.StatsBucket(p.unit),
		Total: total.numbers(), Buckets: []oas.StatsSlot{}, Durations: total.durations(),
	}
	for t := p.from; t.Before(p.to); t = p.after(t) {
		n := oas.RunNumbers{}
		if slot := slots[t.Unix()]; slot != nil {
			n = slot.numbers()
		}
		out.Buckets = append(out.Buckets, oas.StatsSlot{
			From: wire.At(t), To: wire.At(p.after(t)), Succeeded: n.Succeeded, Failed: n.Failed, Cancelled: n.Cancelled,
			P50Ms: n.P50Ms, P95Ms: n.P95Ms,
		})
	}
	return out
}

// Durations are counted in buckets, four to each doubling from a millisecond on: see duration_bucket of the schema.
const (
	perDoubling = 4
	lastBucket  = 127
)

// tally is a sum of counts.
type tally struct {
	succeeded, failed, cancelled [lastBucket + 1]int64
	neverBegan                   [3]int64 // succeeded, failed, cancelled
}

func (t *tally) add(c postgres.Count) {
	kind, at := &t.succeeded, 0
	switch c.Status {
	case run.Failed:
		kind, at = &t.failed, 1
	case run.Cancelled:
		kind, at = &t.cancelled, 2
	}
	if c.Bucket < 0 {
		t.neverBegan[at] += c.N
		return
	}
	kind[min(c.Bucket, lastBucket)] += c.N
}

func sum(counts [lastBucket + 1]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func (t *tally) numbers() oas.RunNumbers {
	return oas.RunNumbers{
		Succeeded: sum(t.succeeded) + t.neverBegan[0], Failed: sum(t.failed) + t.neverBegan[1],
		Cancelled: sum(t.cancelled) + t.neverBegan[2],
		P50Ms:     percentile(t.succeeded, 0.50), P95Ms: percentile(t.succeeded, 0.95),
	}
}

// lowest is the shortest duration that counts in a bucket, in milliseconds.
func lowest(bucket int) float64 {
	if bucket <= 0 {
		return 0
	}
	return math.Exp2(float64(bucket) / perDoubling)
}

// percentile is the duration that a part of the runs stays below, in milliseconds; nil when there are none. Within a
// bucket the runs are taken to lie evenly, so that it is at most a fifth off.
func percentile(counts [lastBucket + 1]int64, part float64) *float64 {
	total := sum(counts)
	if total == 0 {
		return nil
	}
	wanted, seen := part*float64(total), 0.0
	for b, n := range counts {
		if n == 0 {
			continue
		}
		if seen+float64(n) >= wanted {
			low, high := lowest(b), lowest(b+1)
			ms := math.Round((low+(high-low)*(wanted-seen)/float64(n))*1000) / 1000
			return &ms
		}
		seen += float64(n)
	}
	return nil
}

// durations joins the buckets of each doubling, from the first to the last that holds anything.
func (t *tally) durations() []oas.DurationSlot {
	list := []oas.DurationSlot{}
	kept := 0
	for first := 0; first <= lastBucket; first += perDoubling {
		slot := oas.DurationSlot{FromMs: lowest(first)}
		if first+perDoubling <= lastBucket {
			to := lowest(first + perDoubling)
			slot.ToMs = &to
		}
		for b := first; b < first+perDoubling; b++ {
			slot.Succeeded += t.succeeded[b]
			slot.Failed += t.failed[b]
			slot.Cancelled += t.cancelled[b]
		}
		empty := slot.Succeeded+slot.Failed+slot.Cancelled == 0
		if empty && len(list) == 0 {
			continue
		}
		if list = append(list, slot); !empty {
			kept = len(list)
		}
	}
	return list[:kept]
}
