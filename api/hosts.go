package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListHosts implements the contract.
func (s *server) ListHosts(ctx context.Context, _ oas.ListHostsRequestObject) (oas.ListHostsResponseObject, error) {
	hosts, err := s.hosts(ctx)
	if err != nil {
		return nil, err
	}
	list := oas.ListHosts200JSONResponse{Items: make([]oas.Host, 0, len(hosts))}
	for _, h := range hosts {
		list.Items = append(list.Items, h)
	}
	slices.SortFunc(list.Items, func(a, b oas.Host) int { return cmp.Compare(a.Host, b.Host) })
	return list, nil
}

// hosts are those that have limits and those that are not well, by name.
func (s *server) hosts(ctx context.Context) (map[string]oas.Host, error) {
	limits, err := postgres.Hosts{Q: s.db}.Limits(ctx)
	if err != nil {
		return nil, err
	}
	hosts := make(map[string]oas.Host, len(limits))
	for name, l := range limits {
		hosts[name] = limited(name, l)
	}
	states, err := s.queue.Hosts(ctx)
	if err != nil {
		s.log.DebugContext(ctx, "states of hosts not read", "error", err)
		return hosts, nil
	}
	now := s.clock.Now()
	for _, state := range states {
		h, ok := hosts[state.Host]
		if !ok {
			h = oas.Host{Host: state.Host}
		}
		hosts[state.Host] = withState(h, state, now)
	}
	return hosts, nil
}

func limited(name string, l host.Limits) oas.Host {
	h := oas.Host{Host: name}
	if l.MaxConcurrent > 0 {
		n := int32(l.MaxConcurrent) //nolint:gosec // bounded by the table
		h.MaxConcurrent = &n
	}
	if l.PerSecond > 0 {
		burst := int32(l.Burst) //nolint:gosec // bounded by the table
		h.PerSecond, h.Burst = &l.PerSecond, &burst
	}
	return h
}

func withState(h oas.Host, state host.State, now time.Time) oas.Host {
	h.Failures, h.Reason = int32(state.Failures), &state.Why //nolint:gosec // counts calls in a row
	if state.ClosedFor > 0 {
		until := wire.At(now.Add(state.ClosedFor))
		h.ClosedUntil = &until
	}
	return h
}

// LimitHost implements the contract.
func (s *server) LimitHost(ctx context.Context, req oas.LimitHostRequestObject) (oas.LimitHostResponseObject, error) {
	name, err := host.ParseKey(req.Host)
	if err != nil {
		return nil, err
	}
	l := host.Limits{Burst: 1}
	if n := req.Body.MaxConcurrent; n != nil {
		l.MaxConcurrent = int(*n)
	}
	if n := req.Body.PerSecond; n != nil {
		l.PerSecond = *n
	}
	if n := req.Body.Burst; n != nil {
		l.Burst = int(*n)
	}
	if err := l.Check(); err != nil {
		return nil, err
	}
	err = s.changeHost(ctx, audit.HostLimit, name, &l, func(hosts postgres.Hosts) error { return hosts.Save(ctx, name, l) })
	if err != nil {
		return nil, err
	}
	s.queue.TellHosts(ctx, name)
	hosts, err := s.hosts(ctx)
	return oas.LimitHost200JSONResponse(hosts[name]), err
}

// changeHost changes the limits of a host and notes it.
func (s *server) changeHost(ctx context.Context, action audit.Action, name string, after *host.Limits, change func(postgres.Hosts) error) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		hosts := postgres.Hosts{Q: q}
		limits, err := hosts.Limits(ctx)
		if err != nil {
			return err
		}
		if err := change(hosts); err != nil {
			return err
		}
		c := audit.Change{Action: action, Object: audit.Named(name)}
		if before, ok := limits[name]; ok {
			c.Before = hostData(before)
		}
		if after != nil {
			c.After = hostData(*after)
		}
		return postgres.Note(ctx, q, c)
	})
}

func hostData(l host.Limits) audit.Data {
	return audit.Data{"max_concurrent": l.MaxConcurrent, "per_second": l.PerSecond, "burst": l.Burst}
}

// FreeHost implements the contract.
func (s *server) FreeHost(ctx context.Context, req oas.FreeHostRequestObject) (oas.FreeHostResponseObject, error) {
	name, err := host.ParseKey(req.Host)
	if err != nil {
		return nil, err
	}
	err = s.changeHost(ctx, audit.HostFree, name, nil, func(hosts postgres.Hosts) error { return hosts.Drop(ctx, name) })
	if err != nil {
		return nil, err
	}
	if err := s.queue.OpenHost(ctx, name); err != nil {
		s.log.WarnContext(ctx, "host not opened; it opens by itself", "host", name, "error", err)
	}
	return oas.FreeHost204Response{}, nil
}
