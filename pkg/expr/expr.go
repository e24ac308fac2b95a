// Package expr evaluates the templates and conditions that people write into steps: {{ steps.fetch.body.usd }}.
// Expressions are expr-lang's; around them stand bounds on size, work, memory and time, so that no expression, typed
// by a user or an attacker, can take a worker down.
//
// A text that is exactly one {{ … }} gives the value itself, with its type; otherwise the parts are joined as text.
// The names inputs, steps, run, trigger, workflow, secrets, vars, now and, for each item of a list, each can be used;
// anything else is an error when the template is saved. A member that is not there is nil, and nil is written as empty text. To write two braces, quote
// them: {{ "{{" }}.
package expr

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Bounds of one evaluation.
const (
	MaxSource    = 8 << 10                // bytes of one expression
	MaxTemplate  = 64 << 10               // bytes of one template
	MaxOutput    = 256 << 10              // bytes of one result
	MaxTime      = 200 * time.Millisecond // for one template or condition
	maxNodes     = 500                    // parts of one expression
	maxParts     = 200                    // expressions in one template
	maxTicks     = 100_000                // elements visited by filter, map and the like
	maxElements  = 100_000                // elements of ranges and lists that are made on the way
	maxWork      = 32 << 20               // bytes read and written by functions and operators
	maxDepth     = 100                    // how deep values nest
	maxValueTime = 2 * time.Second        // for all templates within one value
	maxValueSize = 1 << 20                // bytes of one value with all its templates evaluated
)

// Env is what the names in an expression stand for, as JSON-like values: nil, bool, numbers, string, []any and
// map[string]any. It is only read.
type Env map[string]any

// Roots are the names an Env may have.
var Roots = []string{"inputs", "steps", "run", "trigger", "workflow", "approvals", "secrets", "vars", "now", "each"}

// Ref is one use of a root: steps.fetch is {steps, fetch}. Name is empty where the root is used as a whole or its
// member is computed.
type Ref struct {
	Root string
	Name string
}

// Template is a checked text with expressions. It does not change and is safe for concurrent use.
type Template struct {
	source string
	parts  []part
}

// part is a stretch of text or an expression.
type part struct {
	text string
	code *program
}

// ParseTemplate checks src. Its error is a *fault.Error with one field, whose pointer is empty and whose message
// says where and what.
func ParseTemplate(src string) (*Template, error) {
	if len(src) > MaxTemplate {
		return nil, syntaxError("the template has %d bytes: at most %d", len(src), MaxTemplate)
	}
	pieces, err := scan(src)
	if err != nil {
		return nil, err
	}
	t := &Template{source: src}
	expressions := 0
	for _, p := range pieces {
		if !p.isCode {
			t.parts = append(t.parts, part{text: p.text})
			continue
		}
		if expressions++; expressions > maxParts {
			return nil, syntaxError("the template has more than %d expressions", maxParts)
		}
		code, err := compile(p.text, src, p.at)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{code: code})
	}
	return t, nil
}

// Literal tells that the template holds no expression.
func (t *Template) Literal() bool {
	for _, p := range t.parts {
		if p.code != nil {
			return false
		}
	}
	return true
}

// Refs lists what the template uses, each once, in the order of appearance.
func (t *Template) Refs() []Ref {
	var list []Ref
	for _, p := range t.parts {
		if p.code != nil {
			list = addRefs(list, p.code.refs)
		}
	}
	return list
}

// Eval gives the template's value: that of its expression when it is exactly one {{ … }}, a string otherwise. Values
// come back as JSON has them: numbers as float64 (int64 beyond 2^53), times as RFC 3339 text. Its error is a
// *fault.Error of code expression_failed, or that of ctx.
func (t *Template) Eval(ctx context.Context, env Env) (any, error) {
	if t.Literal() {
		return t.source, nil
	}
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	b := &budget{ctx: ctx}
	if len(t.parts) == 1 {
		v, err := t.parts[0].code.run(b, env)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	var out strings.Builder
	for _, p := range t.parts {
		text := p.text
		if p.code != nil {
			v, err := p.code.run(b, env)
			if err != nil {
				return nil, err
			}
			if text, err = render(b, v); err != nil {
				return nil, p.code.failed(err)
			}
		}
		if out.Len()+len(text) > MaxOutput {
			return nil, failure("the result is longer than %d bytes", MaxOutput)
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// Whole tells that the template is exactly one {{ … }}.
func (t *Template) Whole() bool { return len(t.parts) == 1 && t.parts[0].code != nil }

// EvalText gives the template as a text with markup: what stands in the source is the author's and stays as it is; the
// values that are put into it go through escape, so that none of them can add markup of its own. Its error is as Eval's.
func (t *Template) EvalText(ctx context.Context, env Env, escape func(string) string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	b := &budget{ctx: ctx}
	var out strings.Builder
	for _, p := range t.parts {
		text := p.text
		if p.code != nil {
			v, err := p.code.run(b, env)
			if err != nil {
				return "", err
			}
			if text, err = render(b, v); err != nil {
				return "", p.code.failed(err)
			}
			text = escape(text)
		}
		if out.Len()+len(text) > MaxOutput {
			return "", failure("the result is longer than %d bytes", MaxOutput)
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// Condition is a checked expression that gives true or false. It is safe for concurrent use.
type Condition struct{ code *program }

// ParseCondition checks src, which may be written bare or within one {{ … }}, and may use further names besides Roots. Its
// error is as ParseTemplate's.
func ParseCondition(src string, further ...string) (*Condition, error) {
	code, err := parseBare(src, further)
	if err != nil {
		return nil, err
	}
	return &Condition{code}, nil
}

// ParseExpression is ParseCondition for an expression that gives any value.
func ParseExpression(src string, further ...string) (*Template, error) {
	code, err := parseBare(src, further)
	if err != nil {
		return nil, err
	}
	return &Template{source: src, parts: []part{{code: code}}}, nil
}

// parseBare reads one expression, written bare or within one {{ … }}.
func parseBare(src string, further []string) (*program, error) {
	text, at := src, 0
	if trimmed := strings.TrimSpace(src); strings.HasPrefix(trimmed, "{{") {
		pieces, err := scan(trimmed)
		if err != nil {
			return nil, err
		}
		if len(pieces) != 1 {
			return nil, syntaxError("this is one expression: there is text outside of {{ }}")
		}
		text, at = pieces[0].text, strings.Index(src, "{{")+pieces[0].at
	}
	return compile(text, src, at, further...)
}

// Refs lists what the condition uses.
func (c *Condition) Refs() []Ref { return addRefs(nil, c.code.refs) }

// Eval decides the condition; nil counts as false, and anything else that is neither true nor false is an error.
func (c *Condition) Eval(ctx context.Context, env Env) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	v, err := c.code.run(&budget{ctx: ctx}, env)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	}
	return false, failure("a condition must give true or false; this one gives %s: compare it, for example with ==", kindOf(v))
}

func addRefs(list, more []Ref) []Ref {
next:
	for _, r := range more {
		for _, known := range list {
			if known == r {
				continue next
			}
		}
		list = append(list, r)
	}
	return list
}

func syntaxError(format string, args ...any) error {
	return fault.At("", "expression_syntax", format, args...)
}

func failure(format string, args ...any) error {
	return fault.At("", "expression_failed", format, args...)
}

// quoteShort shows a source in a message.
func quoteShort(src string) string {
	src = strings.Join(strings.Fields(src), " ")
	if runes := []rune(src); len(runes) > 60 {
		src = string(runes[:60]) + "…"
	}
	return fmt.Sprintf("%q", src)
}
