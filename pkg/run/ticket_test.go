package run_test

import (
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// What the queue carries comes from outside the program: Redis may hold anything.
func FuzzParseTicket(f *testing.F) {
	for _, seed := range []string{"0190c0de-0000-7000-8000-000000000000:1", "", ":", "x:1", "0190c0de-0000-7000-8000-000000000000:-1", "0190c0de00007000800000000000000:1", "{0190c0de-0000-7000-8000-000000000000}:01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ticket, err := run.ParseTicket(text, run.DefaultQueue)
		if err != nil {
			return
		}
		again, err := run.ParseTicket(ticket.String(), run.DefaultQueue)
		if err != nil || again != ticket {
			t.Errorf("%q is %v, and then %v: %v", text, ticket, again, err)
		}
	})
}
