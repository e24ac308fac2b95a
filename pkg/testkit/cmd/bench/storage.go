package main

import (
	"context"
	"fmt"
)

// storage measures what a run leaves behind for ever, in bytes: all but the outputs of its steps.
func storage(ctx context.Context, r *rig) (values, error) {
	empty, err := r.sizes(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.Throughput(ctx, r.size); err != nil {
		return nil, err
	}
	full, err := r.sizes(ctx)
	if err != nil {
		return nil, err
	}
	// What updates left is used again by what comes later, so an installation that goes on needs less.
	if _, err := r.DB.Exec(ctx, `vacuum runs, step_runs, run_logs`); err != nil {
		return nil, fmt.Errorf("vacuum: %w", err)
	}
	if _, err := r.Throughput(ctx, r.size); err != nil {
		return nil, err
	}
	later, err := r.sizes(ctx)
	if err != nil {
		return nil, err
	}
	var outputs float64
	if err := r.DB.QueryRow(ctx, `select coalesce(avg(pg_column_size(output)), 0)::float8 from step_runs`).Scan(&outputs); err != nil {
		return nil, fmt.Errorf("measure outputs: %w", err)
	}
	v := values{"runs": float64(2 * r.size), "bytes": -outputs, "bytes_later": -outputs, "output_bytes": outputs}
	for part, bytes := range full {
		each := (bytes - empty[part]) / float64(r.size)
		v["bytes"] += each
		v["bytes_later"] += (later[part] - bytes) / float64(r.size)
		v[part+"_bytes"] = each
	}
	return v, nil
}

// sizes is what the tables of runs take on the disk, each with its partitions: heap and indexes apart.
func (r *rig) sizes(ctx context.Context) (values, error) {
	v := values{}
	for _, table := range []string{"runs", "step_runs", "run_logs", "unsuccessful_runs"} {
		var heap, indexes float64
		err := r.DB.QueryRow(ctx, `
			select sum(pg_table_size(relid))::float8, sum(pg_indexes_size(relid))::float8
			  from (select relid from pg_partition_tree($1::regclass) union select $1::regclass) t`, table).Scan(&heap, &indexes)
		if err != nil {
			return nil, fmt.Errorf("ask for sizes: %w", err)
		}
		v[table], v[table+"_indexes"] = heap, indexes
	}
	return v, nil
}
