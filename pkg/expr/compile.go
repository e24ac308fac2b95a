package expr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// budgetName is the hidden variable that carries the budget; people cannot write names with a dollar sign.
const budgetName = "$budget"

// program is one compiled expression.
type program struct {
	source string
	names  []string // that it may use besides the roots
	refs   []Ref
	code   *vm.Program
}

// compile checks one expression, which stands in whole at byte at and may use further names besides the roots.
func compile(source, whole string, at int, further ...string) (*program, error) {
	if strings.TrimSpace(source) == "" {
		return nil, syntaxError("%s: the expression is empty", place(whole, at))
	}
	if len(source) > MaxSource {
		return nil, syntaxError("%s: the expression has %d bytes: at most %d", place(whole, at), len(source), MaxSource)
	}
	p := &program{source: source, names: further}
	explain := func(err error) error {
		var located *file.Error
		if !errors.As(err, &located) {
			return syntaxError("%s: %s", place(whole, at), err)
		}
		return syntaxError("%s: %s", place(whole, at+byteOffset(source, located.From)), hint(located.Message))
	}

	config := newConfig(further)
	tree, err := parser.ParseWithConfig(source, config)
	if err != nil {
		return nil, explain(err)
	}
	look := &inspector{members: map[*ast.IdentifierNode]string{}, bare: map[*ast.IdentifierNode]bool{}}
	ast.Walk(&tree.Node, look)
	look.finish()
	if look.err != nil {
		return nil, explain(look.err)
	}
	p.refs = look.refs()
	ast.Walk(&tree.Node, guard{})
	if _, err := checker.Check(tree, config); err != nil {
		return nil, explain(err)
	}
	if p.code, err = compiler.Compile(tree, config); err != nil {
		return nil, explain(err)
	}
	return p, nil
}

func newConfig(further []string) *conf.Config {
	names := types.Map{budgetName: types.Any}
	for _, name := range slices.Concat(Roots, further) {
		names[name] = types.Any
	}
	config := conf.New(names)
	config.MaxNodes = maxNodes
	config.Optimize = false // folding constants would do work before any budget exists
	for _, f := range builtin.Builtins {
		// What walks lists with a predicate is part of the language; all other functions are ours.
		if !f.Predicate {
			config.Disabled[f.Name] = true
			delete(config.Builtins, f.Name)
		}
	}
	for name, f := range functions {
		config.Functions[name] = &builtin.Function{Name: name, Func: f.charged()}
	}
	return config
}

// inspector reads an expression before anything is changed in it: what it refers to, and what is not allowed.
type inspector struct {
	roots   []*ast.IdentifierNode
	members map[*ast.IdentifierNode]string
	bare    map[*ast.IdentifierNode]bool // names of functions that are not called
	err     error
}

func (s *inspector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if strings.Contains(n.Value, "$") {
			s.refuse(n, "unknown name %s", n.Value)
		}
		if _, ok := public[n.Value]; ok {
			s.bare[n] = true
		}
		for _, root := range Roots {
			if n.Value == root {
				s.roots = append(s.roots, n)
			}
		}
	case *ast.VariableDeclaratorNode:
		if strings.Contains(n.Name, "$") {
			s.refuse(n, "the name %s cannot be used: leave out the dollar sign", n.Name)
		}
	case *ast.MemberNode:
		root, isName := n.Node.(*ast.IdentifierNode)
		member, isConstant := n.Property.(*ast.StringNode)
		if isName && isConstant {
			s.members[root] = member.Value
		}
	case *ast.CallNode:
		callee, isName := n.Callee.(*ast.IdentifierNode)
		if !isName {
			s.refuse(n, "only functions can be called")
			return
		}
		delete(s.bare, callee) // children are visited before their parents
		f, known := public[callee.Value]
		switch {
		case !known:
			s.refuse(callee, "unknown function %s", callee.Value)
		case len(n.Arguments) < f.min || len(n.Arguments) > f.max:
			s.refuse(callee, "%s takes %s, here are %d", callee.Value, f.arity(), len(n.Arguments))
		}
	}
}

// finish judges what only the whole shows.
func (s *inspector) finish() {
	for n := range s.bare {
		s.refuse(n, "%[1]s is a function: call it as %[1]s(…)", n.Value)
	}
}

func (s *inspector) refuse(n ast.Node, format string, args ...any) {
	if s.err == nil {
		s.err = &file.Error{Location: n.Location(), Message: fmt.Sprintf(format, args...)}
	}
}

func (s *inspector) refs() []Ref {
	var list []Ref
	for _, root := range s.roots {
		list = addRefs(list, []Ref{{Root: root.Value, Name: s.members[root]}})
	}
	return list
}

// guard rewrites an expression so that everything whose cost depends on values is counted: operators and members
// become calls of charged functions, functions get the budget as their first argument, and each round of a predicate
// ticks.
type guard struct{}

// operators whose cost depends on values, or whose rules are friendlier here than in expr-lang.
var operators = map[string]string{
	"+": "$add", "==": "$equal", "!=": "$equal", "in": "$in", "matches": "$matches",
	"contains": "$contains", "startsWith": "$startsWith", "endsWith": "$endsWith",
}

func (guard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		name, ok := operators[n.Operator]
		if !ok {
			return
		}
		replacement := hiddenCall(n, name, n.Left, n.Right)
		if n.Operator == "!=" {
			replacement = &ast.UnaryNode{Operator: "not", Node: replacement}
		}
		ast.Patch(node, replacement)
	case *ast.MemberNode:
		ast.Patch(node, hiddenCall(n, "$get", n.Node, n.Property))
	case *ast.CallNode:
		n.Arguments = append([]ast.Node{budgetNode(n)}, n.Arguments...)
	case *ast.PredicateNode:
		n.Node = &ast.SequenceNode{Nodes: []ast.Node{hiddenCall(n, "$tick"), n.Node}}
		n.Node.SetLocation(n.Location())
	}
}

func hiddenCall(at ast.Node, name string, args ...ast.Node) ast.Node {
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation(at.Location())
	call := &ast.CallNode{Callee: callee, Arguments: append([]ast.Node{budgetNode(at)}, args...)}
	call.SetLocation(at.Location())
	return call
}

func budgetNode(at ast.Node) ast.Node {
	n := &ast.IdentifierNode{Value: budgetName}
	n.SetLocation(at.Location())
	return n
}

// run evaluates the program within what is left of b; the result is a copy of its own.
func (p *program) run(b *budget, env Env) (result any, err error) {
	defer func() {
		// The machine recovers by itself; this is for the copying, and for what a later version might miss.
		if r := recover(); r != nil {
			result, err = nil, p.failed(fmt.Errorf("%v", r))
		}
	}()
	names := make(map[string]any, len(Roots)+1)
	for _, name := range slices.Concat(Roots, p.names) {
		names[name] = env[name]
	}
	names[budgetName] = b
	if err := b.charge(0); err != nil {
		return nil, p.failed(err)
	}
	machine := vm.VM{MemoryBudget: maxElements}
	raw, err := machine.Run(p.code, names)
	if err != nil {
		return nil, p.failed(err)
	}
	out := &copier{budget: b, limit: MaxOutput}
	if result, err = out.copy(raw, 0); err != nil {
		return nil, p.failed(err)
	}
	return result, nil
}

// failed is the error people see when an expression cannot be evaluated.
func (p *program) failed(err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("evaluate %s: %w", quoteShort(p.source), err)
	}
	message := err.Error()
	var located *file.Error
	if errors.As(err, &located) {
		message = located.Message
		// Where the cause is one of ours, its words are better than the machine's.
		var own *limitError
		if !errors.As(err, &own) {
			margin := len(p.source) - len(strings.TrimLeft(p.source, " \t\r\n"))
			message = fmt.Sprintf("%s (at character %d)", hint(message), located.From-margin+1)
		}
	}
	return failure("%s: %s", quoteShort(p.source), hint(message))
}

// hint rewrites the messages of expr-lang that say too little.
func hint(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	switch {
	case strings.HasPrefix(message, "unknown name"):
		return message + ": known are " + strings.Join(Roots, ", ")
	case strings.HasPrefix(message, "unknown function"):
		return message + ": known are " + functionNames()
	case strings.Contains(message, "memory budget exceeded"):
		return fmt.Sprintf("it makes lists of more than %d elements", maxElements)
	case strings.Contains(message, "reflect.Value.Len on zero Value"):
		return "nil is no list"
	case strings.Contains(message, "exceeds maximum allowed nodes"):
		return fmt.Sprintf("the expression has more than %d parts: split it into steps", maxNodes)
	}
	return strings.ReplaceAll(message, "<nil>", "nil")
}

// byteOffset turns an offset in runes into one in bytes.
func byteOffset(src string, runes int) int {
	for i := range src {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(src)
}

func itoa(n int) string { return strconv.Itoa(n) }
