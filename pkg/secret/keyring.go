// Package secret keeps values that nobody may read: it seals them for the database, and it takes them out of everything
// that a run writes down.
//
// Sealing is envelope encryption. Each value is encrypted with a data key of its own, and the data key with the
// installation's master key, which is derived from ORQ_SECRET_KEY. When that changes, only the data keys are wrapped anew.
// Both ciphertexts are bound to the project and the name, so that a row cannot be passed off as another.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// MinKey is the shortest installation key, in characters.
const MinKey = 32

// Layout of a sealed value: version, key id, wrapped data key, sealed value.
const (
	version     = 1
	keyIDBytes  = 8
	dataKey     = 32
	overhead    = 12 + 16 // of AES-GCM: nonce and tag
	wrappedKey  = dataKey + overhead
	headerBytes = 1 + keyIDBytes
)

// ErrUnknownKey is why a value cannot be opened that another installation key sealed.
var ErrUnknownKey = errors.New("it was sealed with another ORQ_SECRET_KEY; set that one as ORQ_SECRET_KEY_PREVIOUS and run orq secrets rotate")

// errDamaged is why a value cannot be opened that is not what was sealed under that name.
var errDamaged = errors.New("what is stored of it is damaged")

// Keyring seals with the installation's key, and opens what this or the previous one sealed.
type Keyring struct {
	current master
	known   map[string]master
}

// master is a key that wraps data keys.
type master struct {
	id      string // tells keys apart, and nothing about them
	aead    cipher.AEAD
	signing []byte // proves what the installation said
}

// NewKeyring derives the master keys from the installation's keys: the present one, and the one before it, which may be
// empty.
func NewKeyring(key, previous string) (*Keyring, error) {
	current, err := newMaster(key)
	if err != nil {
		return nil, fmt.Errorf("ORQ_SECRET_KEY %w", err)
	}
	k := &Keyring{current: current, known: map[string]master{current.id: current}}
	if previous != "" {
		before, err := newMaster(previous)
		if err != nil {
			return nil, fmt.Errorf("ORQ_SECRET_KEY_PREVIOUS %w", err)
		}
		k.known[before.id] = before
	}
	return k, nil
}

func newMaster(key string) (master, error) {
	if len([]rune(key)) < MinKey {
		return master{}, fmt.Errorf("must have at least %d characters; try: openssl rand -hex 32", MinKey)
	}
	wrapping, err := hkdf.Key(sha256.New, []byte(key), nil, "orquestador secrets v1", dataKey)
	if err != nil {
		return master{}, fmt.Errorf("derive the master key: %w", err)
	}
	id, err := hkdf.Key(sha256.New, []byte(key), nil, "orquestador secrets key id v1", keyIDBytes)
	if err != nil {
		return master{}, fmt.Errorf("derive the master key's id: %w", err)
	}
	signing, err := hkdf.Key(sha256.New, []byte(key), nil, "orquestador links v1", sha256.Size)
	if err != nil {
		return master{}, fmt.Errorf("derive the signing key: %w", err)
	}
	aead, err := newAEAD(wrapping)
	return master{id: hex.EncodeToString(id), aead: aead, signing: signing}, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return aead, nil
}

// KeyID names the key that seals now.
func (k *Keyring) KeyID() string { return k.current.id }

// Seal encrypts a project's value of that name.
func (k *Keyring) Seal(project uuid.UUID, name, value string) ([]byte, error) {
	var key [dataKey]byte
	_, _ = rand.Read(key[:]) // never fails (documented since Go 1.24)
	aead, err := newAEAD(key[:])
	if err != nil {
		return nil, err
	}
	bound := boundTo(project, name)
	sealed, err := k.header()
	if err != nil {
		return nil, err
	}
	sealed = append(sealed, k.current.aead.Seal(nil, nil, key[:], bound)...)
	return append(sealed, aead.Seal(nil, nil, []byte(value), bound)...), nil
}

// Open decrypts what Seal made for the same project and name.
func (k *Keyring) Open(project uuid.UUID, name string, sealed []byte) (string, error) {
	key, err := k.unwrap(project, name, sealed)
	if err != nil {
		return "", err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return "", err
	}
	value, err := aead.Open(nil, nil, sealed[headerBytes+wrappedKey:], boundTo(project, name))
	if err != nil {
		return "", errDamaged
	}
	return string(value), nil
}

// Rewrap answers the same value under the key that seals now; the value itself is not decrypted.
func (k *Keyring) Rewrap(project uuid.UUID, name string, sealed []byte) ([]byte, error) {
	key, err := k.unwrap(project, name, sealed)
	if err != nil {
		return nil, err
	}
	anew, err := k.header()
	if err != nil {
		return nil, err
	}
	anew = append(anew, k.current.aead.Seal(nil, nil, key, boundTo(project, name))...)
	return append(anew, sealed[headerBytes+wrappedKey:]...), nil
}

func (k *Keyring) header() ([]byte, error) {
	id, err := hex.DecodeString(k.current.id)
	if err != nil {
		return nil, fmt.Errorf("read the key's id: %w", err)
	}
	return append([]byte{version}, id...), nil
}

// unwrap answers the data key.
func (k *Keyring) unwrap(project uuid.UUID, name string, sealed []byte) ([]byte, error) {
	if len(sealed) < headerBytes+wrappedKey+overhead || sealed[0] != version {
		return nil, errDamaged
	}
	master, ok := k.known[hex.EncodeToString(sealed[1:headerBytes])]
	if !ok {
		return nil, ErrUnknownKey
	}
	key, err := master.aead.Open(nil, nil, sealed[headerBytes:headerBytes+wrappedKey], boundTo(project, name))
	if err != nil {
		return nil, errDamaged
	}
	return key, nil
}

// boundTo is what both ciphertexts of a value are bound to.
func boundTo(project uuid.UUID, name string) []byte {
	return append(append([]byte("orquestador secret v1\x00"), project[:]...), name...)
}
