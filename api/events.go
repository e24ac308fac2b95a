package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const logBatch = 1000

// StreamEvents is in the generated interface; hub.serve has its route.
func (s *server) StreamEvents(context.Context, oas.StreamEventsRequestObject) (oas.StreamEventsResponseObject, error) {
	return nil, fault.New(fault.Unavailable, "no_stream", "This connection cannot stream")
}

// stream is one live connection.
type stream struct {
	hub  *hub
	ear  *subscriber
	who  account.Principal
	may  *callers
	out  http.ResponseWriter
	flow http.Flusher
	// What the client has seen: the newest log line of each run that it follows, and that run's status.
	seen   map[uuid.UUID]int
	status map[uuid.UUID]string
	frame  int64
	at     time.Time // when the last frame or comment went out
	looked time.Time // when all followed runs were read last
	asked  time.Time // when it was last seen that the session goes on
}

// serve streams until the client leaves, the server stops, or the session ends.
func (h *hub) serve(c echo.Context, stopping context.Context, may *callers) error {
	ear, err := h.earOf(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	defer context.AfterFunc(stopping, cancel)()
	// The token was good when the stream began; a client that is still there when it is not comes back with another.
	defer context.AfterFunc(expiry(ctx, h), cancel)()

	w := c.Response()
	w.Header().Set(echo.HeaderContentType, "text/event-stream; charset=utf-8")
	w.Header().Set(echo.HeaderCacheControl, "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	// The listener's write deadline, if there is one, is for answers that end.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
		h.log.DebugContext(ctx, "write deadline stays", "error", err)
	}
	w.WriteHeader(http.StatusOK)
	s := &stream{
		hub: h, ear: ear, who: httpx.Principal(c.Request().Context()), may: may, out: w, flow: w,
		seen: map[uuid.UUID]int{}, status: map[uuid.UUID]string{}, at: h.clock.Now(), asked: h.clock.Now(),
	}
	defer h.subscribe(ear)() // before the first look, so that nothing falls between
	if err := s.begin(ctx, c.Request().Header.Get("Last-Event-ID")); err != nil {
		return s.over(ctx, err)
	}
	for {
		select {
		case <-ear.wake:
		case <-h.clock.After(streamLook):
		case <-ctx.Done():
			return nil
		}
		if !s.goesOn(ctx) {
			return nil
		}
		if err := s.look(ctx); err != nil {
			return s.over(ctx, err)
		}
		if err := h.clock.Sleep(ctx, streamPause); err != nil {
			return nil //nolint:nilerr // the client left
		}
	}
}

// goesOn tells, now and then, whether the session that opened the stream still stands, in the same projects: a stream must
// outlive neither, and whose projects have changed comes back to hear of those that they are in now.
func (s *stream) goesOn(ctx context.Context) bool {
	now := s.hub.clock.Now()
	if now.Sub(s.asked) < callerLife {
		return true
	}
	s.asked = now
	who, err := s.may.again(ctx, s.who)
	if err != nil {
		return !fault.Is(err, fault.Unauthorized) // the database may be away for a moment
	}
	return slices.Equal(who.Where(account.RunRead), s.ear.projects)
}

// streamLife is how long one connection lives; the client's next one is authenticated anew.
const streamLife = 10 * time.Minute

func expiry(ctx context.Context, h *hub) context.Context {
	done, end := context.WithCancel(ctx)
	go func() {
		defer end()
		_ = h.clock.Sleep(ctx, streamLife) // either way it is over
	}()
	return done
}

func (s *stream) over(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (h *hub) earOf(c echo.Context) (*subscriber, error) {
	p := httpx.Principal(c.Request().Context())
	ear := &subscriber{projects: p.Where(account.RunRead), changed: map[uuid.UUID]bool{}, wake: make(chan struct{}, 1)}
	for _, topic := range strings.Split(strings.Join(c.QueryParams()["topics"], ","), ",") {
		kind, raw, _ := strings.Cut(topic, ":")
		if kind == "runs" {
			ear.all = true
			continue
		}
		id, err := uuid.Parse(raw)
		if err != nil {
			return nil, fault.At("topics", "topic", "%q is not a topic", topic)
		}
		switch kind {
		case "run":
			if _, err := (postgres.Runs{Q: h.db}).Get(c.Request().Context(), ear.projects, id); err != nil {
				return nil, err
			}
			if !slices.Contains(ear.runs, id) {
				ear.runs = append(ear.runs, id)
			}
		case "workflow":
			if _, err := (postgres.Workflows{Q: h.db}).Get(c.Request().Context(), p.Where(account.WorkflowRead), id); err != nil {
				return nil, err
			}
			ear.of = append(ear.of, id)
		}
	}
	return ear, nil
}

// begin sends the followed runs as they are, with the log lines that the client has not seen. A client that comes back
// may have missed changes of other runs: it is told to look again.
func (s *stream) begin(ctx context.Context, last string) error {
	s.resume(last)
	if last != "" && (s.ear.all || len(s.ear.of) > 0) {
		if err := s.send("resync", struct{}{}); err != nil {
			return err
		}
	}
	// The id is for a client that comes back before anything happened: without one it would not say that it was here.
	if _, err := fmt.Fprint(s.out, "id: n=0\nretry: 2000\n\n"); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	s.flow.Flush()
	return s.follow(ctx, s.ear.runs)
}

// resume reads the id of the last frame: the newest log lines that the client has.
func (s *stream) resume(last string) {
	for _, part := range strings.Split(last, ";") {
		id, rest, _ := strings.Cut(part, "=")
		seq, err := strconv.ParseInt(rest, 10, 32) // the database's integer
		if err != nil || seq < 1 {
			continue
		}
		if run, err := uuid.Parse(id); err == nil && slices.Contains(s.ear.runs, run) {
			s.seen[run] = int(seq)
		}
	}
}

// look sends what changed since the last look.
func (s *stream) look(ctx context.Context) error {
	changed, lost := s.ear.take()
	if lost {
		if err := s.send("resync", struct{}{}); err != nil {
			return err
		}
	}
	if err := s.follow(ctx, s.worthALook(changed)); err != nil {
		return err
	}
	if s.ear.all || len(s.ear.of) > 0 {
		if err := s.tell(ctx, changed); err != nil {
			return err
		}
	}
	if s.hub.clock.Now().Sub(s.at) >= streamBeat {
		if _, err := fmt.Fprint(s.out, ": here\n\n"); err != nil {
			return fmt.Errorf("write stream: %w", err)
		}
		s.flow.Flush()
		s.at = s.hub.clock.Now()
	}
	return nil
}

// tell sends runs of the lists that changed.
func (s *stream) tell(ctx context.Context, changed []uuid.UUID) error {
	for chunk := range chunks(changed, 100) {
		rows, err := postgres.Runs{Q: s.hub.db}.Some(ctx, s.ear.projects, chunk)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := s.send("run", summary(row)); err != nil {
				return err
			}
		}
	}
	return nil
}

func chunks[T any](list []T, n int) func(func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(list) > 0 {
			k := min(n, len(list))
			if !yield(list[:k]) {
				return
			}
			list = list[k:]
		}
	}
}

// worthALook picks the followed runs to read: those that were heard to change and, now and then, all of them. A stream
// that also hears of every other run would read its own ten times a second for nothing.
func (s *stream) worthALook(changed []uuid.UUID) []uuid.UUID {
	if now := s.hub.clock.Now(); now.Sub(s.looked) >= streamLook {
		s.looked = now
		return s.ear.runs
	}
	var runs []uuid.UUID
	for _, id := range s.ear.runs {
		if slices.Contains(changed, id) {
			runs = append(runs, id)
		}
	}
	return runs
}

// follow sends the runs that the client watches, whole, when they differ from what it has, and their new log lines.
func (s *stream) follow(ctx context.Context, runs []uuid.UUID) error {
	for _, id := range runs {
		row, err := postgres.Runs{Q: s.hub.db}.Get(ctx, s.ear.projects, id)
		if err != nil {
			return err
		}
		whole, err := s.hub.runs.whole(ctx, row)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(whole)
		if err != nil {
			return fmt.Errorf("encode run: %w", err)
		}
		if s.status[id] != string(raw) {
			s.status[id] = string(raw)
			if err := s.sendRaw("run", raw); err != nil {
				return err
			}
		}
		if err := s.sendLogs(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) sendLogs(ctx context.Context, id uuid.UUID) error {
	for {
		lines, err := postgres.Runs{Q: s.hub.db}.Logs(ctx, id, "", s.seen[id], logBatch)
		if err != nil || len(lines) == 0 {
			return err
		}
		s.seen[id] = lines[len(lines)-1].Seq
		if err := s.send("logs", map[string]any{"run_id": id, "items": logLines(lines)}); err != nil {
			return err
		}
		if len(lines) < logBatch {
			return nil
		}
	}
}

func (s *stream) send(event string, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return s.sendRaw(event, raw)
}

// sendRaw writes a frame. Its id says which log lines the client has then, so that it need not get them again.
func (s *stream) sendRaw(event string, raw []byte) error {
	s.frame++
	id := fmt.Sprintf("n=%d", s.frame)
	for _, run := range s.ear.runs {
		id += fmt.Sprintf(";%s=%d", run, s.seen[run])
	}
	if _, err := fmt.Fprintf(s.out, "id: %s\nevent: %s\ndata: %s\n\n", id, event, raw); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	s.flow.Flush()
	s.at = s.hub.clock.Now()
	return nil
}
