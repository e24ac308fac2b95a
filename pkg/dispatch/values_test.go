package dispatch_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

const (
	firstKey  = "the first key of this installation"
	secondKey = "the second key of this installation"
)

func (d *desk) keyring(key, previous string) *secret.Keyring {
	d.t.Helper()
	k, err := secret.NewKeyring(key, previous)
	d.must(err)
	return k
}

// The installation's key changes while everything runs: all secrets are wrapped anew, and those of a key that is gone are
// told.
func TestRotation(t *testing.T) {
	d := newDesk(t)
	home, _ := d.who.Home()
	store := func(k *secret.Keyring, name, value string) {
		t.Helper()
		d.service.Secrets = k
		_, err := d.service.PutSecret(t.Context(), d.who, home, dispatch.Secret{Name: name, Value: &value})
		d.must(err)
	}
	for i := range 205 {
		store(d.keyring(firstKey, ""), fmt.Sprintf("s%03d", i), fmt.Sprint("value ", i))
	}
	store(d.keyring("a key that nobody remembers any more", ""), "lost", "x")
	store(d.keyring(secondKey, ""), "fresh", "y")

	done, left, err := dispatch.RotateSecrets(t.Context(), d.db, d.keyring(secondKey, firstKey))
	d.must(err)
	if done != 205 || len(left) != 1 || left[0].Name != "lost" {
		t.Errorf("%d done, left %v", done, left)
	}
	now := d.keyring(secondKey, "")
	for i := range 205 {
		name := fmt.Sprintf("s%03d", i)
		sealed, err := postgres.Secrets{Q: d.db}.Sealed(t.Context(), home, name)
		d.must(err)
		if got, err := now.Open(home, name, sealed); err != nil || got != fmt.Sprint("value ", i) {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
	}
	if done, _, err := dispatch.RotateSecrets(t.Context(), d.db, now); err != nil || done != 0 {
		t.Errorf("again: %d, %v", done, err)
	}
}

// A secret is deleted while a workflow is saved that names it: one of the two is refused.
func TestASecretGoesOrIsNamed(t *testing.T) {
	d := newDesk(t)
	d.service.Secrets = d.keyring(firstKey, "")
	home, _ := d.who.Home()
	def := definition()
	def.Steps[0].Config = []byte(`{"message": "{{ secrets.token }}"}`)
	for i := range 20 {
		value := "x"
		_, err := d.service.PutSecret(t.Context(), d.who, home, dispatch.Secret{Name: "token", Value: &value})
		d.must(err)
		var saved, deleted error
		var id uuid.UUID
		done := make(chan struct{})
		go func() {
			defer close(done)
			var row postgres.WorkflowRow
			row, saved = d.service.Create(t.Context(), d.who, home, def, false)
			id = row.ID
		}()
		deleted = d.service.DeleteSecret(t.Context(), d.who, home, "token")
		<-done
		if (saved == nil) == (deleted == nil) || saved != nil && !fault.Is(saved, fault.Invalid) || deleted != nil && !fault.Is(deleted, fault.Conflict) {
			t.Fatalf("round %d: saved %v, deleted %v", i, saved, deleted)
		}
		if saved == nil {
			d.must(d.service.Delete(t.Context(), d.who, id, 0))
		}
	}
}
