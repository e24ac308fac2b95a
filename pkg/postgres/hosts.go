package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/host"
)

// Hosts is the store of the limits that administrators set for single hosts.
type Hosts struct{ Q Querier }

// Limits answers all limits by host.
func (s Hosts) Limits(ctx context.Context) (map[string]host.Limits, error) {
	rows, err := s.Q.Query(ctx, `select host, coalesce(max_concurrent, 0), coalesce(per_second, 0), burst from host_limits`)
	if err != nil {
		return nil, fmt.Errorf("list limits of hosts: %w", err)
	}
	limits := map[string]host.Limits{}
	var h string
	var l host.Limits
	_, err = pgx.ForEachRow(rows, []any{&h, &l.MaxConcurrent, &l.PerSecond, &l.Burst}, func() error {
		limits[h] = l
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list limits of hosts: %w", err)
	}
	return limits, nil
}

// Save sets the limits of a host.
func (s Hosts) Save(ctx context.Context, h string, l host.Limits) error {
	_, err := s.Q.Exec(ctx, `
		insert into host_limits (host, max_concurrent, per_second, burst)
		values (@host, nullif(@max::int, 0), nullif(@rate::float8, 0), greatest(@burst::int, 1))
		    on conflict (host) do update
		   set max_concurrent = excluded.max_concurrent, per_second = excluded.per_second, burst = excluded.burst, updated_at = now()`,
		args{"host": h, "max": l.MaxConcurrent, "rate": l.PerSecond, "burst": l.Burst})
	if err != nil {
		return fmt.Errorf("save limits of a host: %w", translate(err))
	}
	return nil
}

// Drop removes the limits of a host; one that has none is no error.
func (s Hosts) Drop(ctx context.Context, h string) error {
	if _, err := s.Q.Exec(ctx, `delete from host_limits where host = $1`, h); err != nil {
		return fmt.Errorf("drop limits of a host: %w", err)
	}
	return nil
}
