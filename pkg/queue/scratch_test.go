package queue

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/redistest"
)

func TestAScratchDatabaseIsEmptyAndLeftEmpty(t *testing.T) {
	ctx := t.Context()
	cfg := Config{URL: redistest.URL(t), Log: slog.New(slog.DiscardHandler)}
	first, err := TakeScratch(ctx, cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TakeScratch(ctx, cfg, 3); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "database 3") {
		t.Errorf("taken by two: %v", err)
	}
	other, err := TakeScratch(ctx, cfg, 4)
	if err != nil {
		t.Fatalf("another number: %v", err)
	}
	for _, s := range []*Scratch{first, other} {
		if err := s.Release(context.WithoutCancel(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := TakeScratch(ctx, cfg, 3)
	if err != nil {
		t.Fatalf("after its release: %v", err)
	}
	if err := again.Release(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseInUseIsNoScratch(t *testing.T) {
	c := open(t)
	if _, err := c.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := c.redis.DBSize(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	s := &Scratch{Client: c}
	if err := s.take(t.Context(), 0); !fault.Is(err, fault.Conflict) {
		t.Errorf("taken: %v", err)
	}
	if after, err := c.redis.DBSize(t.Context()).Result(); err != nil || after != before {
		t.Errorf("it had %d keys, and has %d (%v)", before, after, err)
	}
}

func TestAClusterHasNoScratchDatabase(t *testing.T) {
	_, err := TakeScratch(t.Context(), Config{URL: "redis-cluster://127.0.0.1:1", Log: slog.New(slog.DiscardHandler)}, 1)
	if err == nil || !strings.Contains(err.Error(), "single database") {
		t.Errorf("got %v", err)
	}
}
