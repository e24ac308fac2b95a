package workflow

import "slices"

// Graph is the order in which a definition's steps may run. Steps are named by their index in Definition.Steps.
type Graph struct {
	deps     [][]int // deps[i] must have ended before i begins
	after    [][]int // after[i] may begin once i has ended
	standsIn [][]int // standsIn[i] are those that i is the fallback of
	index    map[string]int
}

// NewGraph reads the steps' DependsOn; a name that no step has is left out (Validate reports it). A fallback runs after the
// steps that it stands in for, and what runs after those runs after it.
func NewGraph(steps []Step) Graph {
	n := len(steps)
	g := Graph{deps: make([][]int, n), after: make([][]int, n), standsIn: make([][]int, n), index: make(map[string]int, n)}
	for i, s := range steps {
		if _, taken := g.index[s.ID]; !taken {
			g.index[s.ID] = i
		}
	}
	for i, s := range steps {
		for _, name := range s.DependsOn {
			if j, ok := g.index[name]; ok {
				g.link(j, i)
			}
		}
	}
	for i := range steps {
		if f, ok := g.fallback(steps, i); ok {
			g.standsIn[f] = append(g.standsIn[f], i)
		}
	}
	// A fallback may have one itself, which is found whatever the order of the steps.
	for linked := true; linked; {
		linked = false
		for i := range steps {
			f, ok := g.fallback(steps, i)
			if !ok {
				continue
			}
			for _, next := range slices.Clone(g.after[i]) {
				linked = next != f && g.link(f, next) || linked
			}
		}
	}
	for f, list := range g.standsIn {
		for _, i := range list {
			g.link(i, f)
		}
	}
	return g
}

// link lets step j run after step i; false when it does already.
func (g Graph) link(i, j int) bool {
	if slices.Contains(g.deps[j], i) {
		return false
	}
	g.deps[j] = append(g.deps[j], i)
	g.after[i] = append(g.after[i], j)
	return true
}

func (g Graph) fallback(steps []Step, i int) (int, bool) {
	if steps[i].OnError != OnErrorFallback {
		return 0, false
	}
	f, ok := g.index[steps[i].Fallback]
	return f, ok && f != i
}

// StandsIn are the steps that step i is the fallback of.
func (g Graph) StandsIn(i int) []int { return g.standsIn[i] }

// Deps are the steps that must have ended before step i.
func (g Graph) Deps(i int) []int { return g.deps[i] }

// Index finds a step by its id.
func (g Graph) Index(id string) (int, bool) {
	i, ok := g.index[id]
	return i, ok
}

// Ancestors are all steps that certainly ended before step i, by index.
func (g Graph) Ancestors(i int) map[int]bool { return reach(g.deps, i) }

// Descendants are all steps that cannot begin before step i ended.
func (g Graph) Descendants(i int) map[int]bool { return reach(g.after, i) }

func reach(edges [][]int, from int) map[int]bool {
	seen := map[int]bool{}
	todo := slices.Clone(edges[from])
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[i] {
			seen[i] = true
			todo = append(todo, edges[i]...)
		}
	}
	return seen
}

// Cycle returns the indexes of steps that wait for each other in a circle, in order; nil when there are none.
func (g Graph) Cycle() []int {
	const (
		fresh = iota
		open
		done
	)
	state := make([]int, len(g.deps))
	var path []int
	var visit func(i int) []int
	visit = func(i int) []int {
		state[i] = open
		path = append(path, i)
		for _, j := range g.deps[i] {
			switch state[j] {
			case open:
				return slices.Clone(path[slices.Index(path, j):])
			case fresh:
				if cycle := visit(j); cycle != nil {
					return cycle
				}
			}
		}
		path = path[:len(path)-1]
		state[i] = done
		return nil
	}
	for i := range g.deps {
		if state[i] == fresh {
			if cycle := visit(i); cycle != nil {
				return cycle
			}
		}
	}
	return nil
}
