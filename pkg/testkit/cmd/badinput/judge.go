package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// judge looks at every answer.
type judge struct {
	mu       sync.Mutex
	sent     int
	statuses map[string]int
	outcomes map[string]map[int]int // by operation and status
	phases   map[string]int
	mistakes map[string]int // by kind
	shown    int
}

func newJudge() *judge {
	return &judge{statuses: map[string]int{}, outcomes: map[string]map[int]int{}, phases: map[string]int{}, mistakes: map[string]int{}}
}

// maxShown is how many mistakes are printed whole.
const maxShown = 40

// answer is what came back. The body of a stream is not read.
type answer struct {
	operation string // its id, or what was sent
	request   string // method, path and the beginning of the body, to send it again
	secret    string // must not be in the answer
	status    int
	kind      string // media type
	body      []byte
}

// look judges an answer and remembers it.
func (j *judge) look(a answer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sent++
	j.statuses[strconv.Itoa(a.status)]++
	if j.outcomes[a.operation] == nil {
		j.outcomes[a.operation] = map[int]int{}
	}
	j.outcomes[a.operation][a.status]++
	switch {
	case a.operation == rawOperation && a.kind != "application/problem+json" && notUnderstood[a.status]:
	case a.status >= 500:
		j.blame("status from 500 on", a)
	case a.status >= 400 && !isProblem(a):
		j.blame("no problem+json", a)
	case a.secret != "" && bytes.Contains(a.body, []byte(a.secret)):
		j.blame("a secret in the answer", a)
	case a.status < 300 && strings.HasPrefix(a.kind, "application/json") && !json.Valid(a.body):
		j.blame("an answer that is no JSON", a)
	}
}

// notUnderstood are the answers of Go's HTTP library to what is no HTTP, and so never gets to the program.
var notUnderstood = map[int]bool{
	http.StatusBadRequest: true, http.StatusExpectationFailed: true, http.StatusRequestHeaderFieldsTooLarge: true,
	http.StatusNotImplemented: true, http.StatusHTTPVersionNotSupported: true,
}

// isProblem tells whether the answer is what RFC 9457 describes, with the status that it has. One to HEAD has no body, and the
// queue monitor has errors of its own.
func isProblem(a answer) bool {
	if a.kind == "text/plain" {
		library := strings.HasPrefix(string(a.body), fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))) && notUnderstood[a.status]
		return library || strings.Contains(a.request, " /monitoring/api/")
	}
	var p struct {
		Title  string
		Status int
		Code   string
	}
	whole := json.Unmarshal(a.body, &p) == nil && p.Status == a.status && p.Code != "" && p.Title != ""
	return a.kind == "application/problem+json" && (whole || strings.HasPrefix(a.request, http.MethodHead+" "))
}

func (j *judge) blame(kind string, a answer) {
	j.mistakes[kind]++
	if j.shown++; j.shown <= maxShown {
		fmt.Fprintf(os.Stderr, "%s: %s\n  sent: %s\n  got: %d %s %.400s\n", kind, a.operation, a.request, a.status, a.kind, a.body)
	}
}

// object adds a mistake that only the sender could see.
func (j *judge) object(kind string, a answer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.blame(kind, a)
}

func (j *judge) requests() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sent
}

func (j *judge) phase(name string, requests int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.phases[name] = requests
}

// report is what is printed.
type report struct {
	Requests   int            `json:"requests"`
	Operations int            `json:"operations"`
	Phases     map[string]int `json:"phases"`
	Statuses   map[string]int `json:"statuses"`
	Mistakes   map[string]int `json:"mistakes"`
	HTTP5xx    int            `json:"http_5xx"`
	Panics     int            `json:"panics"`
	// NeverTaken are the operations of which nothing that was sent was good: what is behind their checks was not tried.
	NeverTaken []string `json:"never_taken"`
	Errors     int      `json:"errors_in_the_log"`
	Pass       bool     `json:"pass"`
}

func (j *judge) report(p *program) (report, error) {
	panics, failures, first, err := p.complaints()
	if err != nil {
		return report{}, err
	}
	for _, line := range first {
		fmt.Fprintln(os.Stderr, "in the log:", line)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	r := report{
		Requests: j.sent, Operations: len(j.outcomes), Phases: j.phases, Statuses: j.statuses, Mistakes: j.mistakes,
		Panics: panics, Errors: failures, Pass: len(j.mistakes) == 0 && panics == 0 && failures == 0,
	}
	for operation, outcomes := range j.outcomes {
		for status, n := range outcomes {
			if status >= 500 && !(operation == rawOperation && notUnderstood[status]) {
				r.HTTP5xx += n
			}
		}
		if operation != "settle" && outcomes[200]+outcomes[201]+outcomes[202]+outcomes[204] == 0 {
			r.NeverTaken = append(r.NeverTaken, operation)
		}
	}
	slices.Sort(r.NeverTaken)
	return r, nil
}
