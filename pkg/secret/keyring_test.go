package secret

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
)

const (
	firstKey  = "the first key of this installation"
	secondKey = "the second key of this installation"
)

func keyring(t *testing.T, key, previous string) *Keyring {
	t.Helper()
	k, err := NewKeyring(key, previous)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhatIsSealedOpensUnderItsNameAlone(t *testing.T) {
	k, project := keyring(t, firstKey, ""), uuid.New()
	for _, value := range []string{"x", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", strings.Repeat("ñ", 32<<10)} {
		sealed, err := k.Seal(project, "token", value)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte(value)) && len(value) > 4 {
			t.Error("the value can be read")
		}
		if got, err := k.Open(project, "token", sealed); err != nil || got != value {
			t.Errorf("opened %.40q, %v", got, err)
		}
		again, err := k.Seal(project, "token", value)
		if err != nil || bytes.Equal(sealed, again) {
			t.Errorf("the same value is sealed in the same way (%v)", err)
		}
		for what, open := range map[string]func() (string, error){
			"another project": func() (string, error) { return k.Open(uuid.New(), "token", sealed) },
			"another name":    func() (string, error) { return k.Open(project, "tokem", sealed) },
			"nothing":         func() (string, error) { return k.Open(project, "token", nil) },
			"a part":          func() (string, error) { return k.Open(project, "token", sealed[:len(sealed)-1]) },
		} {
			if got, err := open(); err == nil {
				t.Errorf("%s opens it: %q", what, got)
			}
		}
		for i := range min(len(sealed), 200) {
			bent := bytes.Clone(sealed)
			bent[i] ^= 1
			if _, err := k.Open(project, "token", bent); err == nil {
				t.Errorf("it opens with byte %d changed", i)
			}
		}
	}
}

func TestTheMasterKeyRotates(t *testing.T) {
	project := uuid.New()
	before, after, both := keyring(t, firstKey, ""), keyring(t, secondKey, ""), keyring(t, secondKey, firstKey)
	if before.KeyID() == after.KeyID() || both.KeyID() != after.KeyID() {
		t.Fatalf("key ids %s, %s, %s", before.KeyID(), after.KeyID(), both.KeyID())
	}
	sealed, err := before.Seal(project, "token", "value")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Open(project, "token", sealed); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("another key: %v", err)
	}
	if got, err := both.Open(project, "token", sealed); err != nil || got != "value" {
		t.Errorf("with the previous key: %q, %v", got, err)
	}
	anew, err := both.Rewrap(project, "token", sealed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Open(project, "token", anew); err != nil || got != "value" {
		t.Errorf("wrapped anew: %q, %v", got, err)
	}
	if _, err := before.Open(project, "token", anew); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("the old key still opens it: %v", err)
	}
	if _, err := both.Rewrap(project, "other", sealed); err == nil {
		t.Error("wrapped anew under another name")
	}
}

func TestKeysThatAreTooShort(t *testing.T) {
	if _, err := NewKeyring("short", ""); err == nil || !strings.Contains(err.Error(), "ORQ_SECRET_KEY must have") {
		t.Errorf("key: %v", err)
	}
	if _, err := NewKeyring(firstKey, "short"); err == nil || !strings.Contains(err.Error(), "ORQ_SECRET_KEY_PREVIOUS must have") {
		t.Errorf("previous key: %v", err)
	}
}
