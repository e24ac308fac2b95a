package redistest_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/redistest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func open(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() }) // nothing to lose
	return client
}

func TestEachCallGivesAnEmptyRedis(t *testing.T) {
	first, second := open(t, redistest.URL(t)), open(t, redistest.URL(t))
	if err := first.Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n := second.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("the second Redis has %d keys, want 0", n)
	}
}

func TestKeysExpireInBothKinds(t *testing.T) {
	for _, kind := range []string{"installed", "built in"} {
		t.Run(kind, func(t *testing.T) {
			if kind == "built in" {
				t.Setenv("PATH", "") // nothing is installed here
			}
			client := open(t, redistest.URL(t))
			if err := client.Set(t.Context(), "key", "value", 50*time.Millisecond).Err(); err != nil {
				t.Fatal(err)
			}
			deadline := time.Now().Add(10 * time.Second)
			for client.Exists(t.Context(), "key").Val() != 0 {
				if time.Now().After(deadline) {
					t.Fatal("the key is still there")
				}
			}
		})
	}
}

func TestStartSaysWhichKind(t *testing.T) {
	t.Setenv("PATH", "")
	if redistest.Start(t).Real {
		t.Error("Real with nothing on PATH")
	}
}

func TestBothKindsCanBeStoppedTwice(t *testing.T) {
	for _, kind := range []string{"installed", "built in"} {
		t.Run(kind, func(t *testing.T) {
			if kind == "built in" {
				t.Setenv("PATH", "")
			}
			redis := redistest.Start(t) // is stopped once more when the test ends
			for range 2 {
				if err := redis.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
