package lifecycle

import "sync"

// ballastSize is how much garbage a process may gather besides as much as what it keeps.
const ballastSize = 64 << 20

// ballast lets the garbage collector rest. A role keeps a few megabytes and makes many more each second; the collector, which
// runs whenever the heap has doubled, would run dozens of times a second (a fifth of the program's time under full load,
// measured). The ballast makes the heap look larger. It is never touched, so that it is no real memory, and what can gather
// because of it is bounded by its size, unlike with a higher GOGC.
var ballast = sync.OnceValue(func() []byte { return make([]byte, ballastSize) })
