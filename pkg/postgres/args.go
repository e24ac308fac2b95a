package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// args are named arguments, as pgx.StrictNamedArgs, but which name has which number is found out once for each text of a
// statement: some are run thousands of times a second. So the texts have to be constants.
type args map[string]any

// numbered is a statement with $1 in the place of names.
type numbered struct {
	sql   string
	names []string // the first is $1
}

var statements sync.Map // of numbered, by the text with names

// RewriteQuery implements pgx.QueryRewriter.
func (a args) RewriteQuery(ctx context.Context, conn *pgx.Conn, sql string, _ []any) (string, []any, error) {
	known, ok := statements.Load(sql)
	if !ok {
		n, err := a.number(ctx, conn, sql)
		if err != nil {
			return "", nil, err
		}
		known, _ = statements.LoadOrStore(sql, n)
	}
	n, _ := known.(numbered)
	values := make([]any, len(n.names))
	for i, name := range n.names {
		value, given := a[name]
		if !given {
			return "", nil, fmt.Errorf("no argument @%s for the statement", name)
		}
		values[i] = value
	}
	if len(a) != len(values) {
		return "", nil, fmt.Errorf("the statement has %d arguments, not %d", len(values), len(a))
	}
	return n.sql, values, nil
}

// number lets pgx find the names, by giving it each name as the name's value.
func (a args) number(ctx context.Context, conn *pgx.Conn, sql string) (numbered, error) {
	names := make(pgx.StrictNamedArgs, len(a))
	for name := range a {
		names[name] = name
	}
	text, ordered, err := names.RewriteQuery(ctx, conn, sql, nil)
	if err != nil {
		return numbered{}, fmt.Errorf("number the arguments: %w", err)
	}
	n := numbered{sql: text}
	for _, name := range ordered {
		n.names = append(n.names, fmt.Sprint(name))
	}
	return n, nil
}
