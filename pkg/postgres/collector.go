package postgres

import "github.com/prometheus/client_golang/prometheus"

// poolCollector shows a pool's state to Prometheus.
type poolCollector struct {
	db                             *DB
	size, idle, used, waits, limit *prometheus.Desc
}

// NewPoolCollector makes a collector for a role's pool.
func NewPoolCollector(role string, db *DB) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("orq_pool_"+name, help, nil, prometheus.Labels{"role": role})
	}
	return &poolCollector{
		db:   db,
		size: desc("connections", "Connections to the database."), idle: desc("idle", "Connections that nobody uses."),
		used: desc("acquired", "Connections in use."), limit: desc("max", "Most connections."),
		waits: desc("waits_total", "Times that somebody had to wait for a connection."),
	}
}

// Describe implements prometheus.Collector.
func (c *poolCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.size, c.idle, c.used, c.limit, c.waits} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *poolCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.db.Stat()
	ch <- prometheus.MustNewConstMetric(c.size, prometheus.GaugeValue, float64(s.TotalConns()))
	ch <- prometheus.MustNewConstMetric(c.idle, prometheus.GaugeValue, float64(s.IdleConns()))
	ch <- prometheus.MustNewConstMetric(c.used, prometheus.GaugeValue, float64(s.AcquiredConns()))
	ch <- prometheus.MustNewConstMetric(c.limit, prometheus.GaugeValue, float64(s.MaxConns()))
	ch <- prometheus.MustNewConstMetric(c.waits, prometheus.CounterValue, float64(s.EmptyAcquireCount()))
}
