package run

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// The queues, each a class of work. A worker with a free place takes what is critical first, and keeps some places for
// it; what is bulk never takes more than half of them.
const (
	CriticalQueue = "critical"
	DefaultQueue  = "default" // where runs go unless somebody says otherwise
	BulkQueue     = "bulk"
)

// Queues are all queues, the most urgent first.
var Queues = []string{CriticalQueue, DefaultQueue, BulkQueue}

// Ticket is what the queue carries: a run and how often it had been taken when the ticket was written. A ticket whose
// attempt is not the run's any more is worth nothing.
type Ticket struct {
	ID      uuid.UUID `db:"id"`
	Attempt int       `db:"attempt"`
	Queue   string    `db:"queue"`
}

// String is the ticket's text, <run>:<attempt>; it is also the task's id in the queue.
func (t Ticket) String() string { return t.ID.String() + ":" + strconv.Itoa(t.Attempt) }

// ParseTicket reads what String wrote.
func ParseTicket(s, queue string) (Ticket, error) {
	id, attempt, found := strings.Cut(s, ":")
	if !found {
		return Ticket{}, fmt.Errorf("parse ticket %q: no attempt", s)
	}
	run, err := uuid.Parse(id)
	if err != nil {
		return Ticket{}, fmt.Errorf("parse ticket %q: %w", s, err)
	}
	n, err := strconv.Atoi(attempt)
	if err != nil || n < 0 {
		return Ticket{}, fmt.Errorf("parse ticket %q: bad attempt", s)
	}
	return Ticket{ID: run, Attempt: n, Queue: queue}, nil
}
