package scheduler

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
)

// metrics are what a scheduler measures.
type metrics struct {
	lateness prometheus.Histogram
	lost     prometheus.Counter
	evicted  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, db *postgres.DB, q *queue.Client, log *slog.Logger) *metrics {
	m := &metrics{
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "orq_tick_lateness_seconds", Help: "From the instant a fire was due to the tick that made its run.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orq_runs_lost_workers_total", Help: "Runs taken back from workers that stopped beating.",
		}),
		evicted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orq_runs_evicted_total", Help: "Runs taken from workers that beat, by why: cancel, run_time, step_time.",
		}, []string{"why"}),
	}
	if reg != nil {
		reg.MustRegister(m.lateness, m.lost, m.evicted, &gauges{db: db, queue: q, log: log})
	}
	return m
}

// gauges are read from PostgreSQL and Redis when somebody asks.
type gauges struct {
	db    *postgres.DB
	queue *queue.Client
	log   *slog.Logger
}

const scrapeTimeout = 2 * time.Second

var (
	liveRuns      = prometheus.NewDesc("orq_runs_live", "Runs that have not finished, by status.", []string{"status"}, nil)
	dueOldest     = prometheus.NewDesc("orq_runs_due_oldest_seconds", "How long the oldest due run has waited for a worker.", nil, nil)
	queueDepth    = prometheus.NewDesc("orq_queue_depth", "Tasks in the queue, by state.", []string{"queue", "state"}, nil)
	queueOldest   = prometheus.NewDesc("orq_queue_oldest_seconds", "How long the oldest pending task has waited.", []string{"queue"}, nil)
	schedulesOver = prometheus.NewDesc("orq_schedules_overdue", "Triggers whose next fire is more than ten seconds past.", nil, nil)
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{liveRuns, dueOldest, queueDepth, queueOldest, schedulesOver} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What cannot be read is left out.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	if s, err := (postgres.Live{Q: g.db}).Census(ctx); err != nil {
		g.log.WarnContext(ctx, "metrics not read", "error", err)
	} else {
		for status, n := range s.Runs {
			ch <- prometheus.MustNewConstMetric(liveRuns, prometheus.GaugeValue, float64(n), string(status))
		}
		ch <- prometheus.MustNewConstMetric(dueOldest, prometheus.GaugeValue, s.OldestDue.Seconds())
		ch <- prometheus.MustNewConstMetric(schedulesOver, prometheus.GaugeValue, float64(s.Overdue))
	}
	depths, err := g.queue.Depths()
	if err != nil {
		g.log.DebugContext(ctx, "queue metrics not read", "error", err)
		return
	}
	for name, d := range depths {
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(d.Pending), name, "pending")
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(d.Active), name, "active")
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(d.Scheduled), name, "scheduled")
		ch <- prometheus.MustNewConstMetric(queueOldest, prometheus.GaugeValue, d.Oldest.Seconds(), name)
	}
}
