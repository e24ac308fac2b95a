package local_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/local"
)

func TestKeysAreMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	first, created, err := local.Keys(dir)
	if err != nil || !created || len(first) < 32 {
		t.Fatalf("first call: %d characters, created %v, error %v", len(first), created, err)
	}
	again, created, err := local.Keys(dir)
	if err != nil || created || again != first {
		t.Fatalf("second call: same %v, created %v, error %v", again == first, created, err)
	}
	info, err := os.Stat(filepath.Join(dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode().Perm())
	}
}

func TestOneOfManyFirstCallsWins(t *testing.T) {
	dir := t.TempDir()
	keys := make([]string, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			key, _, err := local.Keys(dir)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	all.Wait()
	for _, key := range keys {
		if key != keys[0] {
			t.Fatal("two calls got different keys")
		}
	}
}

func TestADamagedKeyIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret.key")
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := local.Keys(dir)
	wantCode(t, err, "secret_damaged")
	if text, err := os.ReadFile(path); err != nil || string(text) != "half" {
		t.Errorf("the file now holds %q (%v)", text, err)
	}
}
