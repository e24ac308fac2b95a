package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// demand is how much an installation has to do while it is broken.
type demand struct {
	starts    int // per second, through the API
	schedules int // each due every second
	slow      time.Duration
	hooks     bool // the starts are deliveries to webhook triggers
}

// load starts runs through the API and lets schedules fire, and knows which runs that asks for.
type load struct {
	client *client
	plans  []plan
	hooks  map[string]string // paths of the addresses of workflows, when the starts are deliveries
	quick  string            // the workflow of two short steps
	slow   string            // the workflow with a long step in its middle

	mu      sync.Mutex
	starts  []start
	newest  string // a run that was accepted
	number  int
	slowest time.Duration // the longest to a 202

	lost     atomic.Int64 // answers that did not come
	late     atomic.Int64 // starts that were left out because too many were under way
	inFlight chan struct{}
	going    sync.WaitGroup
}

// mostInFlight bounds the requests under way.
const mostInFlight = 300

type object = map[string]any

// step is a step that calls the sink, after another one.
func step(id, url, after string) object {
	s := object{"id": id, "action": "http_endpoint", "config": object{"url": url}, "timeout": "2m"}
	if after != "" {
		s["depends_on"] = []string{after}
	}
	return s
}

// newLoad makes the workflows. The schedules fire from begin to end.
func newLoad(ctx context.Context, c *client, d demand, begin, end time.Time) (*load, error) {
	l := &load{client: c, inFlight: make(chan struct{}, mostInFlight), hooks: map[string]string{}}
	create := c.create
	if d.hooks {
		create = l.hooked
	}
	ok := c.rig.sink.url + "/ok"
	slow := c.rig.sink.url + "/slow?for=" + d.slow.String()
	two := []object{step("first", ok, ""), step("last", ok, "first")}
	var err error
	if l.quick, err = create(ctx, object{"name": "quick", "steps": two}); err != nil {
		return nil, err
	}
	three := []object{step("first", ok, ""), step("slow", slow, "first"), step("last", ok, "slow")}
	if l.slow, err = create(ctx, object{"name": "slow", "steps": three}); err != nil {
		return nil, err
	}
	const perWorkflow = 20
	for left := d.schedules; left > 0; left -= perWorkflow {
		if err := l.schedule(ctx, min(left, perWorkflow), begin, end, two); err != nil {
			return nil, err
		}
	}
	if time.Now().After(begin) {
		return nil, fmt.Errorf("this machine was too slow to save %d schedules in time", d.schedules)
	}
	return l, nil
}

// schedule makes a workflow with n triggers, due every second, every two, every five.
func (l *load) schedule(ctx context.Context, n int, begin, end time.Time, steps []object) error {
	var triggers []object
	var plans []plan
	for i := range n {
		every := []int{1, 1, 1, 2, 5}[i%5]
		id := fmt.Sprintf("every%d_%d", every, i)
		triggers = append(triggers, object{
			"id": id, "type": "schedule", "cron": fmt.Sprintf("*/%d * * * * *", every), "overlap": "allow",
			"missed": "all", "catch_up_limit": 1000, "starts_at": begin.UTC(), "ends_at": end.UTC(),
		})
		plans = append(plans, plan{trigger: id, every: time.Duration(every) * time.Second, first: begin, last: end})
	}
	id, err := l.client.create(ctx, object{"name": "scheduled", "triggers": triggers, "steps": steps})
	if err != nil {
		return err
	}
	workflow, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("read an id: %w", err)
	}
	for _, p := range plans {
		p.workflow = workflow
		l.plans = append(l.plans, p)
	}
	return nil
}

// run starts runs at a steady rate until stop ends, and reads meanwhile; then it waits for the answers. A start with an
// Idempotency-Key whose answer does not come is repeated until ctx ends.
func (l *load) run(ctx, stop context.Context, perSecond int) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.fire(ctx)
		case <-stop.Done():
			l.going.Wait()
			return
		}
	}
}

// burst starts n runs at once and waits until half of them are accepted, or refused.
func (l *load) burst(ctx context.Context, n int) {
	var half sync.WaitGroup
	for i := range n {
		if i < n/2 {
			half.Add(1)
		}
		number := l.next()
		l.inFlight <- struct{}{}
		l.going.Go(func() {
			defer func() { <-l.inFlight }()
			l.begin(ctx, number)
			if i < n/2 {
				half.Done()
			}
		})
	}
	half.Wait()
}

func (l *load) next() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	return l.number
}

func (l *load) fire(ctx context.Context) {
	select {
	case l.inFlight <- struct{}{}:
	default:
		l.late.Add(1)
		return
	}
	number := l.next()
	l.going.Go(func() {
		defer func() { <-l.inFlight }()
		l.begin(ctx, number)
		if number%5 == 0 {
			l.read(ctx, number)
		}
	})
}

// begin starts one run.
func (l *load) begin(ctx context.Context, number int) {
	workflow, key := l.quick, ""
	if number%4 == 0 {
		workflow = l.slow
	}
	if number%3 == 0 {
		key = fmt.Sprintf("chaos-%d", number)
	}
	s := start{n: number}
	var took time.Duration
	for {
		began := time.Now()
		status, body, err := l.ask(ctx, workflow, number, key)
		if status == http.StatusAccepted {
			if id, err := runIn(body); err == nil {
				s.answered, s.run = true, id
			}
			took = time.Since(began)
			break
		}
		if err != nil && ctx.Err() == nil {
			l.lost.Add(1)
		}
		if err == nil && status < 500 {
			l.client.refused.Add(1)
			l.client.firstBroken.CompareAndSwap(nil, fmt.Sprintf("start: %d %.300s", status, body))
		}
		if key == "" || ctx.Err() != nil || err == nil && status < 500 {
			break
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starts = append(l.starts, s)
	l.slowest = max(l.slowest, took)
	if s.answered {
		l.newest = s.run.String()
	}
}

// ask asks for a run: by a start, or by a delivery, whose Idempotency-Key is what the trigger tells deliveries by.
func (l *load) ask(ctx context.Context, workflow string, number int, key string) (status int, answer []byte, err error) {
	if path, ok := l.hooks[workflow]; ok {
		return l.client.send(ctx, http.MethodPost, path, object{"n": number}, key)
	}
	return l.client.do(ctx, http.MethodPost, "/workflows/"+workflow+"/runs", object{"inputs": object{"n": number}}, key)
}

// runIn reads which run a start, or a delivery, became.
func runIn(body []byte) (uuid.UUID, error) {
	var answer struct {
		ID    *uuid.UUID
		RunID *uuid.UUID `json:"run_id"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return uuid.UUID{}, fmt.Errorf("read a run's id: %w", err)
	}
	switch {
	case answer.RunID != nil:
		return *answer.RunID, nil
	case answer.ID != nil:
		return *answer.ID, nil
	}
	return uuid.UUID{}, fmt.Errorf("the answer names no run: %.300s", body)
}

// hooked makes a workflow with a webhook trigger.
func (l *load) hooked(ctx context.Context, definition any) (id string, err error) {
	w, _ := definition.(object)
	w["triggers"] = []object{{"id": "hook", "type": "webhook", "dedupe": object{"header": "Idempotency-Key"}}}
	status, body, err := l.client.do(ctx, http.MethodPost, "/workflows", w, "")
	if err != nil {
		return "", err
	}
	var answer struct {
		ID       string
		Triggers []struct{ URL string }
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusCreated || len(answer.Triggers) != 1 {
		return "", fmt.Errorf("save a workflow with a webhook: %d %s", status, body)
	}
	address, err := url.Parse(answer.Triggers[0].URL)
	if err != nil {
		return "", fmt.Errorf("read an address: %w", err)
	}
	l.hooks[answer.ID] = address.Path
	return answer.ID, nil
}

// read makes a request that changes nothing.
func (l *load) read(ctx context.Context, number int) {
	l.mu.Lock()
	newest := l.newest
	l.mu.Unlock()
	paths := []string{"/runs?limit=20", "/runs/" + newest, "/workflows", "/workflows/" + l.quick, "/runs/" + newest + "/logs"}
	path := paths[number/5%len(paths)]
	if newest == "" && strings.HasPrefix(path, "/runs/") {
		return
	}
	status, body, err := l.client.do(ctx, http.MethodGet, path, nil, "")
	if err == nil && status >= 400 && status < 500 {
		l.client.refused.Add(1)
		l.client.firstBroken.CompareAndSwap(nil, fmt.Sprintf("GET %s: %d %.300s", path, status, body))
	}
}
