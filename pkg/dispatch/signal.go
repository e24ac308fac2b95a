package dispatch

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Signal notes what the job of a heartbeat trigger says, together with others that say something at the same time.
func (s *Service) Signal(ctx context.Context, signal postgres.Signal) error {
	_, err := s.signals.Do(ctx, signal)
	return err
}

func (s *Service) noteSignals(ctx context.Context, signals []postgres.Signal) ([]struct{}, error) {
	urgent, err := postgres.Heartbeats{Q: s.db}.Note(ctx, signals)
	if err == nil {
		err = postgres.Triggers{Q: s.db}.Hurry(ctx, urgent)
	}
	return make([]struct{}, len(signals)), err
}

// Behind finds what stands behind the address of a trigger; nil when it is nobody's. Addresses that are asked for at the same
// time are looked up together.
func (s *Service) Behind(ctx context.Context, token string) (*postgres.Addressed, error) {
	return s.addresses.Do(ctx, token)
}

func (s *Service) findAddresses(ctx context.Context, tokens []string) ([]*postgres.Addressed, error) {
	found, err := postgres.Addresses{Q: s.db}.Find(ctx, tokens)
	list := make([]*postgres.Addressed, len(tokens))
	for i, token := range tokens {
		if a, ok := found[token]; ok {
			list[i] = &a
		}
	}
	return list, err
}

// SecretOf opens a secret of a project; ErrNotFound when it is not there.
func (s *Service) SecretOf(ctx context.Context, project uuid.UUID, name string) (string, error) {
	key := postgres.ValueKey{ProjectID: project, Root: workflow.RootSecrets, Name: name}
	values, err := postgres.Values{Q: s.db}.Read(ctx, []postgres.ValueKey{key})
	if err != nil {
		return "", err
	}
	value, ok := values[key]
	if !ok {
		return "", postgres.ErrNotFound
	}
	return s.Secrets.Open(project, name, value.Sealed)
}

// lockLive lists the unfinished runs of triggers; those triggers are locked until the transaction ends, so that nobody else
// decides about them at the same time.
func lockLive(ctx context.Context, q postgres.Querier, triggers []uuid.UUID) (map[uuid.UUID][]postgres.LiveRun, error) {
	if len(triggers) == 0 {
		return nil, nil
	}
	if _, err := (postgres.Triggers{Q: q}).LockSome(ctx, triggers); err != nil {
		return nil, err
	}
	return postgres.Triggers{Q: q}.LiveOf(ctx, triggers)
}
