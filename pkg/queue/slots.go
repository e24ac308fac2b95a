package queue

import (
	"sync"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// bulkTurn is how often bulk work goes before default work: every so many places that become free.
const bulkTurn = 8

// slots are a worker's places for runs, shared by all queues. A place is taken before a ticket is fetched, so that no
// ticket is fetched that has to wait for one. What is critical goes first, and an eighth of the places is for it alone;
// what is bulk gets half of the places at most, and every eighth that becomes free if it waits, so that it never starves.
type slots struct {
	mu      sync.Mutex
	total   int
	taken   map[string]int
	waiting map[string][]chan struct{}
	turns   int
}

func newSlots(total int) *slots {
	return &slots{total: total, taken: map[string]int{}, waiting: map[string][]chan struct{}{}}
}

// most is how many places a queue may have when nobody else has any.
func (s *slots) most(queue string) int {
	switch queue {
	case run.CriticalQueue:
		return s.total
	case run.BulkQueue:
		return max(s.total/2, 1)
	}
	return s.total - s.total/8 // all of them where there are fewer than eight
}

// take takes a place for the queue; it answers false when quit is closed first.
func (s *slots) take(queue string, quit ...<-chan struct{}) bool {
	s.mu.Lock()
	if len(s.waiting[queue]) == 0 && s.room(queue) {
		s.taken[queue]++
		s.mu.Unlock()
		return true
	}
	turn := make(chan struct{})
	s.waiting[queue] = append(s.waiting[queue], turn)
	s.mu.Unlock()
	first, second := quit[0], (<-chan struct{})(nil)
	if len(quit) > 1 {
		second = quit[1]
	}
	select {
	case <-turn:
		return true
	case <-first:
	case <-second:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.waiting[queue] {
		if other == turn {
			s.waiting[queue] = append(s.waiting[queue][:i:i], s.waiting[queue][i+1:]...)
			return false
		}
	}
	s.free(queue) // it was given at the same moment
	return false
}

// give gives a place of the queue back.
func (s *slots) give(queue string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(queue)
}

func (s *slots) free(queue string) {
	s.taken[queue]--
	s.turns++
	order := run.Queues
	if s.turns%bulkTurn == 0 {
		order = []string{run.CriticalQueue, run.BulkQueue, run.DefaultQueue}
	}
	for _, next := range order {
		for len(s.waiting[next]) > 0 && s.room(next) {
			turn := s.waiting[next][0]
			s.waiting[next] = s.waiting[next][1:]
			s.taken[next]++
			close(turn)
		}
	}
}

// room tells whether the queue may have one more place.
func (s *slots) room(queue string) bool {
	all, others := 0, 0
	for name, n := range s.taken {
		all += n
		if name != run.CriticalQueue {
			others += n
		}
	}
	if all >= s.total || s.taken[queue] >= s.most(queue) {
		return false
	}
	return queue == run.CriticalQueue || others < s.most(run.DefaultQueue)
}
