package queue

import (
	"testing"
	"testing/synctest"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// fill takes places until there is none left for the queue, and answers how many those were.
func fill(s *slots, queue string) (n int) {
	never := make(chan struct{})
	for s.room(queue) {
		s.take(queue, never)
		n++
	}
	return n
}

func TestPlacesOfQueues(t *testing.T) {
	for _, c := range []struct {
		name  string
		order []string
		want  []int
	}{
		{"critical work may have all", []string{run.CriticalQueue}, []int{16}},
		{"default work leaves an eighth for what is critical", []string{run.DefaultQueue, run.CriticalQueue}, []int{14, 2}},
		{"bulk work leaves half", []string{run.BulkQueue, run.DefaultQueue, run.CriticalQueue}, []int{8, 6, 2}},
		{"both together leave the eighth", []string{run.DefaultQueue, run.BulkQueue, run.CriticalQueue}, []int{14, 0, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSlots(16)
			for i, queue := range c.order {
				if got := fill(s, queue); got != c.want[i] {
					t.Errorf("%s got %d places, want %d", queue, got, c.want[i])
				}
			}
		})
	}
}

// A worker of one place works, whatever the queue.
func TestASinglePlaceIsForEverybody(t *testing.T) {
	for _, queue := range run.Queues {
		if n := fill(newSlots(1), queue); n != 1 {
			t.Errorf("%s got %d places of one", queue, n)
		}
	}
}

func TestWhoWaitsGoesByItsClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		never := make(chan struct{})
		s.take(run.DefaultQueue, never)
		got := make(chan string, 3)
		for _, queue := range []string{run.BulkQueue, run.DefaultQueue, run.CriticalQueue} {
			go func() {
				s.take(queue, never)
				got <- queue
			}()
			synctest.Wait()
		}
		held := run.DefaultQueue
		for _, want := range run.Queues {
			s.give(held)
			if held = <-got; held != want {
				t.Fatalf("%s went before %s", held, want)
			}
		}
	})
}

// Bulk work is never starved by default work that does not end.
func TestBulkWorkHasItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		never := make(chan struct{})
		s.take(run.DefaultQueue, never)
		turn := make(chan string)
		ask := func(queue string) {
			go func() {
				s.take(queue, never)
				turn <- queue
			}()
			synctest.Wait()
		}
		ask(run.BulkQueue)
		for i := range bulkTurn {
			ask(run.DefaultQueue)
			s.give(run.DefaultQueue)
			if queue := <-turn; queue == run.BulkQueue {
				s.give(run.BulkQueue)
				<-turn
				return
			} else if i == bulkTurn-1 {
				t.Error("bulk work had no turn")
			}
		}
	})
}

func TestWhoLeavesTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		never, quit := make(chan struct{}), make(chan struct{})
		s.take(run.DefaultQueue, never)
		left := make(chan bool)
		go func() { left <- s.take(run.DefaultQueue, quit) }()
		synctest.Wait()
		close(quit)
		if <-left {
			t.Error("it got a place that was taken")
		}
		s.give(run.DefaultQueue)
		if n := fill(s, run.DefaultQueue); n != 1 {
			t.Errorf("%d places remained", n)
		}
	})
}
