package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// MaxJitter is the longest jitter.
const MaxJitter = time.Hour

// Start is when the run of a fire begins: at the fire, or up to jitter after it, but always before the next fire. The
// delay follows from seed (the trigger) and the fire alone, so that every scheduler and every answer names the same
// instant. It is a whole number of milliseconds.
func (s *Schedule) Start(fire time.Time, jitter time.Duration, seed string) time.Time {
	window := s.JitterWindow(fire, jitter).Milliseconds()
	if window <= 0 {
		return fire
	}
	var buf [8]byte
	binary.BigEndian.PutUint64(buf[:], uint64(fire.UnixMilli())) //nolint:gosec // only its bits matter
	sum := sha256.Sum256(append([]byte(seed), buf[:]...))
	delay := binary.BigEndian.Uint64(sum[:8]) % uint64(window)
	return fire.Add(time.Duration(delay) * time.Millisecond) //nolint:gosec // below an hour
}

// JitterWindow is how long after a fire its run may begin: jitter, or the time to the next fire if that is less.
func (s *Schedule) JitterWindow(fire time.Time, jitter time.Duration) time.Duration {
	if jitter <= 0 {
		return 0
	}
	if next := s.Next(fire); !next.IsZero() {
		return min(jitter, next.Sub(fire))
	}
	return jitter
}
