package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

var tickGoals = map[int]float64{1: 50, 100: 300, 1000: 300} // p99 in milliseconds

// ticks measures how late runs start when n schedules are due in the same second.
func ticks(n int) func(context.Context, *rig) (row, error) {
	return func(ctx context.Context, r *rig) (row, error) {
		at := time.Now().Add(5*time.Second + time.Duration(n)*4*time.Millisecond).Truncate(time.Second)
		rounds := 1
		if n == 1 {
			rounds = 20 // one start says little
		}
		for i := range n {
			var triggers []workflow.Trigger
			for k := range rounds {
				due := at.Add(time.Duration(k) * 250 * time.Millisecond)
				triggers = append(triggers, workflow.Trigger{ID: fmt.Sprintf("t%d", k), Type: workflow.TriggerSchedule, At: &due})
			}
			if _, err := r.create(ctx, fmt.Sprint("tick ", i), triggers, logStep()); err != nil {
				return row{}, err
			}
		}
		if time.Now().After(at) {
			return row{}, errors.New("the machine was too slow to save the workflows in time")
		}
		stop, err := r.start(ctx, true)
		if err != nil {
			return row{}, err
		}
		if err := errors.Join(r.await(ctx, n*rounds), stop(), r.failures(ctx)); err != nil {
			return row{}, err
		}
		rows, err := r.db.Query(ctx, `select extract(epoch from started_at - fire_at)::float8 from runs`)
		if err != nil {
			return row{}, fmt.Errorf("read starts: %w", err)
		}
		defer rows.Close()
		var list []time.Duration
		for rows.Next() {
			var seconds float64
			if err := rows.Scan(&seconds); err != nil {
				return row{}, fmt.Errorf("read starts: %w", err)
			}
			list = append(list, time.Duration(seconds*float64(time.Second)))
		}
		line := row{
			Goal: fmt.Sprintf("p99 <= %g ms", tickGoals[n]), Values: map[string]float64{"due": float64(n * rounds)},
			Note: "from the instant that was due to the claim by a worker, by the database's clock",
		}
		quantiles(list, "", line.Values)
		line.Met = met(line.Values["p99_ms"] <= tickGoals[n])
		return line, rows.Err()
	}
}
