package local

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// minSecret is the fewest characters a secret may have; shorter ones are taken for a damaged file.
const minSecret = 32

// Keys returns the secret key kept in dataDir (43 characters of base64 from 256 random bits), making it on the first
// call; created tells which. The file secret.key has mode 0600 and is never overwritten: a file that is too short is
// an error, because what was encrypted with the lost key would be lost with it.
func Keys(dataDir string) (secret string, created bool, err error) {
	if err := prepareDir(dataDir); err != nil {
		return "", false, err
	}
	return keepSecret(filepath.Join(dataDir, "secret.key"))
}

// keepSecret reads the secret in path or makes one there.
func keepSecret(path string) (secret string, created bool, err error) {
	secret, err = readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	fresh := newSecret()
	// Written aside and linked, so that nobody ever reads half a key and the first of two writers wins.
	temp, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return "", false, unusable(filepath.Dir(path), err)
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // the link is what counts
	_, err = temp.WriteString(fresh + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", false, fmt.Errorf("write secret: %w", err)
	}
	err = os.Link(temp.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		secret, err = readSecret(path)
		return secret, false, err
	}
	if err != nil {
		return "", false, fmt.Errorf("keep secret: %w", err)
	}
	return fresh, true, nil
}

func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < minSecret {
		return "", fault.New(fault.Invalid, "secret_damaged",
			"The key file %s has fewer than %d characters. Try: restore it from a backup; without it, stored secrets cannot be read",
			path, minSecret)
	}
	return secret, nil
}

func newSecret() string {
	bytes := make([]byte, 32)
	_, _ = rand.Read(bytes) // never fails (documented since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(bytes)
}
