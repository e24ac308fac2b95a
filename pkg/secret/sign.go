package secret

import (
	"crypto/hmac"
	"crypto/sha256"
)

// proofBytes is how long a proof is: half of an HMAC-SHA256, which RFC 2104 (section 5) holds for enough.
const proofBytes = 16

// Sign proves that the installation said what, for purpose. The same words under the same key have the same proof.
func (k *Keyring) Sign(purpose string, what []byte) []byte { return k.current.sign(purpose, what) }

// Verify tells whether proof is what Sign made under the current key or the one before it.
func (k *Keyring) Verify(purpose string, what, proof []byte) bool {
	for _, m := range k.known {
		if hmac.Equal(m.sign(purpose, what), proof) {
			return true
		}
	}
	return false
}

func (m master) sign(purpose string, what []byte) []byte {
	mac := hmac.New(sha256.New, m.signing)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0}) // no purpose holds one: where it ends and what begins is plain
	mac.Write(what)
	return mac.Sum(nil)[:proofBytes]
}

// Knows tells whether a key of that KeyID is the current one or the one before it.
func (k *Keyring) Knows(id string) bool {
	_, ok := k.known[id]
	return ok
}
