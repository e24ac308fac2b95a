package worker

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

// Limits of a run's log.
const (
	maxLines   = 10_000
	maxMessage = 16 << 10 // bytes of one line
)

// journal gathers a run's log lines until they are written. Steps write into it at the same time.
type journal struct {
	mu    sync.Mutex
	seq   int // of the newest line
	lines []postgres.LogRow

	secrets *secret.Redactor // takes out what must not be written
}

// hide takes values out of the lines that are written from now on.
func (j *journal) hide(s *secret.Redactor) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.secrets = s
}

// add writes a line; past the limit the last line says so and the others are dropped.
func (j *journal) add(at time.Time, step string, attempt int, level, message string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.seq >= maxLines {
		return
	}
	j.seq++
	if j.seq == maxLines {
		level, message = "warn", "the log has reached its limit of 10,000 lines; further lines are dropped"
	}
	j.lines = append(j.lines, postgres.LogRow{
		Seq: j.seq, At: at, Step: step, Attempt: attempt, Level: level, Message: clip(j.secrets.Hide(message)),
	})
}

// writer is how one attempt writes.
func (j *journal) writer(now func() time.Time, step string, attempt int) func(level, message string) {
	return func(level, message string) { j.add(now(), step, attempt, level, message) }
}

// take answers the lines since the last call.
func (j *journal) take() []postgres.LogRow {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// clip makes a message storable: valid UTF-8, without NUL, and not too long.
func clip(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	if len(s) <= maxMessage {
		return s
	}
	s = s[:maxMessage]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "… (cut)"
}

// storable replaces the one escape that PostgreSQL's jsonb cannot hold.
func storable(raw json.RawMessage) json.RawMessage {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return raw
	}
	var b bytes.Buffer
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			b.WriteByte(raw[i])
			continue
		}
		if bytes.HasPrefix(raw[i:], []byte(`\u0000`)) {
			b.WriteString(`\ufffd`)
			i += 5
			continue
		}
		b.Write(raw[i:min(i+2, len(raw))]) // an escape as a whole, so that \\u0000 stays what it is
		i++
	}
	return b.Bytes()
}
