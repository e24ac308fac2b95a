package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// The names under which attributes travel in a context and stand in a log line.
const (
	RequestID  = "request_id"
	WorkflowID = "workflow_id"
	RunID      = "run_id"
	Attempt    = "attempt"
)

// NewLogger writes to w lines of level (debug, info, warn, error) or above in format (text, json), each with the
// attributes its context carries. Unknown words are faults of kind Invalid.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	options := &slog.HandlerOptions{}
	switch level {
	case "debug":
		options.Level = slog.LevelDebug
	case "", "info":
		options.Level = slog.LevelInfo
	case "warn":
		options.Level = slog.LevelWarn
	case "error":
		options.Level = slog.LevelError
	default:
		return nil, fault.New(fault.Invalid, "log_level", "The log level %q is none of debug, info, warn, error", level)
	}
	switch format {
	case "", "text":
		return slog.New(contextHandler{slog.NewTextHandler(w, options)}), nil
	case "json":
		return slog.New(contextHandler{slog.NewJSONHandler(w, options)}), nil
	}
	return nil, fault.New(fault.Invalid, "log_format", "The log format %q is neither text nor json", format)
}

type attributesKey struct{}

// With returns a context whose log lines carry the pairs of name and value, besides what ctx carries already; a name
// that is there gets the new value. Names are strings, as for slog.With.
func With(ctx context.Context, pairs ...any) context.Context {
	attributes := slices.Clone(attributesOf(ctx))
	for _, added := range argsToAttrs(pairs) {
		same := func(a slog.Attr) bool { return a.Key == added.Key }
		if i := slices.IndexFunc(attributes, same); i >= 0 {
			attributes[i] = added
			continue
		}
		attributes = append(attributes, added)
	}
	return context.WithValue(ctx, attributesKey{}, attributes)
}

// Value is the attribute of that name in ctx, as text; "" when there is none.
func Value(ctx context.Context, name string) string {
	for _, a := range attributesOf(ctx) {
		if a.Key == name {
			return a.Value.String()
		}
	}
	return ""
}

func attributesOf(ctx context.Context) []slog.Attr {
	attributes, _ := ctx.Value(attributesKey{}).([]slog.Attr)
	return attributes
}

// argsToAttrs reads pairs as slog does.
func argsToAttrs(pairs []any) []slog.Attr {
	var attributes []slog.Attr
	for len(pairs) > 0 {
		if a, ok := pairs[0].(slog.Attr); ok {
			attributes, pairs = append(attributes, a), pairs[1:]
			continue
		}
		if len(pairs) == 1 {
			return append(attributes, slog.Any("!BADKEY", pairs[0]))
		}
		attributes, pairs = append(attributes, slog.Any(fmt.Sprint(pairs[0]), pairs[1])), pairs[2:]
	}
	return attributes
}

// contextHandler adds the context's attributes to each record.
type contextHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h contextHandler) Handle(ctx context.Context, record slog.Record) error {
	if attributes := attributesOf(ctx); len(attributes) > 0 {
		record = record.Clone()
		record.AddAttrs(attributes...)
	}
	return h.Handler.Handle(ctx, record) //nolint:wrapcheck // a decorator adds nothing to the error
}

// WithAttrs implements slog.Handler.
func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}
