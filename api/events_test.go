package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// frame is one event of a stream.
type frame struct {
	event, id, data string
}

// stream is a live connection of a test.
type stream struct {
	t      *testing.T
	frames chan frame // closed when the stream ends
	hangUp context.CancelFunc
}

// listen opens a stream of topics; last is the Last-Event-ID of a client that comes back.
func listen(t *testing.T, c *client, topics, last string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.in.url+"/api/v1/events?topics="+topics, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("events: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	s := &stream{t: t, frames: make(chan frame, 1000), hangUp: cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(s.frames)
		defer resp.Body.Close()
		s.read(bufio.NewReader(resp.Body))
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

// read delivers frames; a comment and the advice how soon to come back are frames too, without data.
func (s *stream) read(r *bufio.Reader) {
	var f frame
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			s.frames <- f
			f = frame{}
		case name == "":
			f.event = "comment"
		case name == "retry":
			f.event = "retry"
		case name == "event":
			f.event = value
		case name == "id":
			f.id = value
		case name == "data":
			f.data = value
		}
	}
}

// next is the next frame; ok is false when the stream has ended.
func (s *stream) next() (f frame, ok bool) {
	s.t.Helper()
	select {
	case f, ok = <-s.frames:
		return f, ok
	case <-time.After(20 * time.Second):
		s.t.Fatal("no frame in time")
		return f, false
	}
}

// until skips frames up to one of the event, and answers it.
func (s *stream) until(event string) frame {
	s.t.Helper()
	for {
		f, ok := s.next()
		if !ok {
			s.t.Fatalf("the stream ended before an event %q", event)
		}
		if f.event == event {
			return f
		}
	}
}

func (f frame) json() object { return answer{body: []byte(f.data)}.json() }

// worker stands for the role that does runs: it says what a worker would say.
type worker struct {
	in      *installation
	claimed postgres.Claimed
	seq     int
}

// work takes a run as a worker does.
func (in *installation) work(id string) *worker {
	in.t.Helper()
	claimed, err := postgres.Live{Q: in.db}.Claim(in.t.Context(), "test", []run.Ticket{{ID: uuid.MustParse(id), Queue: run.DefaultQueue}})
	if err != nil || len(claimed) != 1 {
		in.t.Fatalf("claim: %v, %v", claimed, err)
	}
	return &worker{in: in, claimed: claimed[0]}
}

// record writes something about the run and announces that it changed, as workers do.
func (w *worker) record(r postgres.Record) {
	w.in.t.Helper()
	r.RunID, r.Attempt = w.claimed.ID, w.claimed.Attempt
	if r.Outcome == "" {
		r.Outcome = postgres.Continue
	}
	for i := range r.Steps {
		r.Steps[i].RunID = r.RunID
	}
	written, err := postgres.Live{Q: w.in.db}.Write(w.in.t.Context(), "test", []postgres.Record{r})
	if _, ok := written[r.RunID]; err != nil || !ok {
		w.in.t.Fatalf("write: %v, %v", written, err)
	}
	w.in.queue.Announce(w.in.t.Context(), []run.Change{{RunID: r.RunID, WorkflowID: w.claimed.WorkflowID, ProjectID: w.claimed.ProjectID}})
}

// says writes log lines.
func (w *worker) says(messages ...string) {
	w.in.t.Helper()
	var rows []postgres.LogRow
	for _, m := range messages {
		w.seq++
		rows = append(rows, postgres.LogRow{Seq: w.seq, At: w.in.clock.Now(), Step: "say", Attempt: 1, Level: "info", Message: m})
	}
	w.record(postgres.Record{Logs: rows})
}

// attempt is one attempt of a step that has ended.
func attempt(step string, number int, status run.Status, output, problem string) postgres.StepRow {
	began, ended := time.Now().Add(-time.Second), time.Now()
	row := postgres.StepRow{Step: step, Attempt: number, Status: status, StartedAt: &began, FinishedAt: &ended}
	if output != "" {
		row.Output = []byte(output)
	}
	if problem != "" {
		row.Error = &problem
	}
	return row
}

// ends finishes the run.
func (w *worker) ends(status run.Status, reason string, steps ...postgres.StepRow) {
	w.in.t.Helper()
	w.record(postgres.Record{Steps: steps, Outcome: postgres.Finish, Status: status, Reason: reason})
}

// messages are the log lines of the stream's next frames with logs, until one of them is the last.
func (s *stream) messages(last string) (all []string, id string) {
	s.t.Helper()
	for {
		f := s.until("logs")
		for _, line := range f.json().items("items") {
			all = append(all, line.text("message"))
			if line.text("message") == last {
				return all, f.id
			}
		}
	}
}

func TestFollowARun(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("greeting"))
	id := ana.post(path+"/runs", nil).want(202).text("id")
	w := in.work(id)
	w.says("one", "two")

	s := listen(t, ana, "run:"+id, "")
	if r := s.until("run").json(); r.text("id") != id || r.text("status") != "running" || len(r.items("steps")) != 1 {
		t.Errorf("the first event is %v, want the whole run", r)
	}
	got, at := s.messages("two")
	if strings.Join(got, " ") != "one two" {
		t.Errorf("backlog %q, want what was said before", got)
	}
	w.says("three")
	if got, _ = s.messages("three"); strings.Join(got, " ") != "three" {
		t.Errorf("live %q, want only what is new", got)
	}
	s.hangUp()

	w.says("four")
	s = listen(t, ana, "run:"+id, at)
	if got, _ = s.messages("four"); strings.Join(got, " ") != "three four" {
		t.Errorf("after coming back %q, want what was missed, once", got)
	}
	w.ends(run.Succeeded, "", attempt("say", 1, run.Succeeded, "", ""))
	for {
		if r := s.until("run").json(); r.text("status") == "succeeded" {
			break
		}
	}
	// A forged place is no harm: one that no line can have, and one of a run that is not followed.
	s = listen(t, ana, "run:"+id, "n=1;"+id+"=99999999999999999999;"+uuid.NewString()+"=3")
	if got, _ = s.messages("four"); len(got) != 4 {
		t.Errorf("after a place that cannot be: %q, want everything", got)
	}
}

func TestFollowLists(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	path, created := ana.create(logOnly("greeting"))
	other, _ := ana.create(logOnly("other"))

	all, one, foreign := listen(t, ana, "runs", ""), listen(t, ana, "workflow:"+created.text("id"), ""), listen(t, eve, "runs", "")
	all.until("retry")
	one.until("retry")
	foreign.until("retry")
	// The hub hears only once Redis has confirmed its subscription, so the first start may go unheard.
	eventually(t, "a start is heard", func() bool {
		ana.post(path+"/runs", nil).want(202)
		select {
		case f := <-all.frames:
			return f.event == "run" && f.json().text("workflow_name") == "greeting"
		case <-time.After(200 * time.Millisecond):
			return false
		}
	})
	other = ana.post(other+"/runs", nil).want(202).text("id")
	for all.until("run").json().text("id") != other {
	}
	ana.post(path+"/runs", nil).want(202)
	for range 2 {
		if r := one.until("run").json(); r.text("workflow_name") != "greeting" {
			t.Errorf("a stream of one workflow tells of %v", r)
		}
	}
	select {
	case f := <-foreign.frames:
		t.Errorf("a stranger hears %v", f)
	default:
	}
	// Who comes back may have missed something of a list, and is told so.
	again := listen(t, ana, "runs", "n=3")
	if f, _ := again.next(); f.event != "resync" {
		t.Errorf("the first event after coming back is %q, want resync", f.event)
	}
}

// Whoever was cut off before anything happened may have missed the first of it: the stream gives an id at once.
func TestAStreamWithoutEventsIsResumedToo(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	first := listen(t, ana, "runs", "")
	f := first.until("retry")
	if f.id == "" {
		t.Fatal("the stream begins without an id")
	}
	first.hangUp()
	again := listen(t, ana, "runs", f.id)
	if f, _ := again.next(); f.event != "resync" {
		t.Errorf("the first event after coming back is %q, want resync", f.event)
	}
}

func TestTopicsThatAreRefused(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	path, created := ana.create(logOnly("greeting"))
	id := ana.post(path+"/runs", nil).want(202).text("id")
	for topics, status := range map[string]int{
		"":                                   422,
		"nonsense":                           422,
		"run:1":                              422,
		"run:" + strings.Repeat("-", 36):     422,
		"run:" + uuid.NewString():            404,
		"runs,run:" + id:                     404, // another's
		"workflow:" + created.text("id"):     404,
		"runs" + strings.Repeat(",runs", 50): 422,
	} {
		eve.get("/events?topics=" + topics).want(status)
	}
}

func TestAnIdleStreamShowsThatItLives(t *testing.T) {
	in := install(t)
	s := listen(t, in.user("ana"), "runs", "")
	s.until("retry")
	in.clock.advance(time.Minute)
	s.until("comment")
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	s := listen(t, ana, "runs", "")
	s.until("retry")
	ana.post("/auth/logout", nil).want(204)
	in.clock.advance(callerLife)
	for {
		if _, ok := s.next(); !ok {
			return
		}
	}
}

// A stream tells of the projects that its reader was in when it began; it ends when those are others.
func TestAStreamEndsWithAMembership(t *testing.T) {
	in := install(t)
	p, guest := in.place("ana"), in.user("guest")
	in.join(p.id, guest, account.Viewer)
	s := listen(t, guest, "runs", "")
	s.until("retry")
	in.sql(`delete from project_members where project_id = $1 and user_id = $2 returning 0`, p.id, guest.me.text("id"))
	in.clock.advance(2 * callerLife)
	for {
		if _, ok := s.next(); !ok {
			return
		}
	}
}

func TestStreamsEndWhenTheServerStops(t *testing.T) {
	in := install(t)
	s := listen(t, in.user("ana"), "runs", "")
	s.until("retry")
	in.stop() // waits for every answer
	for {
		if _, ok := s.next(); !ok {
			return
		}
	}
}
