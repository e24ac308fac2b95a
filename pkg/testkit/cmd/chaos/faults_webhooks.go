package main

// deliveriesHaveRuns looks whether it was deliveries that were counted, and that some were turned away meanwhile: a 202 while
// PostgreSQL is away would be a promise that nobody can keep.
func deliveriesHaveRuns(t *trial, _ repeats) {
	if len(t.load.hooks) == 0 {
		t.problem("nothing was sent to a webhook")
	}
	if t.client.unreachable.Load() == 0 {
		t.problem("no delivery was turned away while PostgreSQL was away")
	}
}
