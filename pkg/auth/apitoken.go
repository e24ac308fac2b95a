package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// apiTokenPrefix lets people and scanners of repositories know an API token when they see one.
const apiTokenPrefix = "orq_"

const (
	apiTokenBytes = 32
	checksumBytes = 4
	hintLength    = 4
)

var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewAPIToken makes a token for programs: the prefix, then 32 random bytes and their CRC-32, so that a mistyped one is known
// without asking the database (as GitHub's are: https://github.blog/engineering/behind-githubs-new-authentication-token-formats/).
// hash is what is stored of it, hint its last characters.
func NewAPIToken() (token string, hash []byte, hint string) {
	raw := make([]byte, apiTokenBytes, apiTokenBytes+checksumBytes)
	_, _ = rand.Read(raw) // never fails (documented since Go 1.24)
	token = apiTokenPrefix + tokenText.EncodeToString(binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw)))
	sum := sha256.Sum256([]byte(token))
	return token, sum[:], token[len(token)-hintLength:]
}

// IsAPIToken tells an API token from an access token.
func IsAPIToken(token string) bool { return strings.HasPrefix(token, apiTokenPrefix) }

// HashAPIToken is what is stored of a token. Errors: ErrUnauthorized for what NewAPIToken cannot have made.
func HashAPIToken(token string) (hash []byte, err error) {
	raw, err := tokenText.DecodeString(strings.TrimPrefix(token, apiTokenPrefix))
	if err != nil || len(raw) != apiTokenBytes+checksumBytes ||
		binary.BigEndian.Uint32(raw[apiTokenBytes:]) != crc32.ChecksumIEEE(raw[:apiTokenBytes]) {
		return nil, ErrUnauthorized
	}
	sum := sha256.Sum256([]byte(token)) // it has 256 random bits: a plain hash is enough
	return sum[:], nil
}
