package run

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// The diagram in the documentation is drawn from the table that the code uses.
func TestStateMachineDocument(t *testing.T) {
	const path = "../../docs/state-machine.md"
	var b bytes.Buffer
	b.WriteString("# The statuses of a run\n\n<!-- Written by `make generate` from pkg/run/status.go. -->\n\n```mermaid\nstateDiagram-v2\n    [*] --> queued\n")
	for _, s := range Statuses {
		for _, next := range s.Next() {
			fmt.Fprintf(&b, "    %s --> %s\n", s, next)
		}
		if s.Finished() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n\nA finished run never changes. A step has the same statuses and `skipped`.\n")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs from the table; run make generate", path)
	}
}

func TestFinishedStatusesStay(t *testing.T) {
	for _, s := range []Status{Succeeded, Failed, Cancelled} {
		if !s.Finished() {
			t.Errorf("%s is not finished", s)
		}
		for _, next := range Statuses {
			if s.May(next) {
				t.Errorf("%s may become %s", s, next)
			}
		}
	}
}

func TestUnfinishedStatusesCanBeCancelled(t *testing.T) {
	for _, s := range Statuses {
		if !s.Finished() && !s.May(Cancelled) {
			t.Errorf("%s cannot be cancelled", s)
		}
	}
}
