package worker

import "github.com/prometheus/client_golang/prometheus"

// metrics are what a worker counts.
type metrics struct {
	started prometheus.Counter
	ended   *prometheus.CounterVec
	steps   *prometheus.HistogramVec
	zombies prometheus.Counter
	linger  prometheus.Gauge
	parked  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		started: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orq_runs_started_total", Help: "Runs that this worker took.",
		}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orq_runs_ended_total", Help: "Runs that this worker let go, by their status then.",
		}, []string{"status"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "orq_step_seconds", Help: "Time of one attempt of a step, by action and status.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 300},
		}, []string{"action", "status"}),
		zombies: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orq_runs_dropped_total", Help: "Results dropped because the run had been given to another worker.",
		}),
		linger: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "orq_actions_lingering", Help: "Actions that did not stop when told to, and whose runs were let go.",
		}),
		parked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orq_steps_parked_total", Help: "Times that a step had to wait for a host, by why: closed, probed, full, paced.",
		}, []string{"why"}),
	}
	if reg != nil {
		reg.MustRegister(m.started, m.ended, m.steps, m.zombies, m.linger, m.parked)
	}
	return m
}
