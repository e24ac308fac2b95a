// Package audit is the record of who changed what: its entries, the chain of hashes that they form, and how that is
// verified and written out. Every entry carries the hash of the one before it, so that none can be altered, taken out or put
// in between without the rest showing it; most also carry a seal that nobody can make who has the database alone.
package audit

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// ActorKind is what somebody is who changes something.
type ActorKind string

// The kinds of actors.
const (
	User        ActorKind = "user"         // logged in, or a program with an API token of theirs
	Link        ActorKind = "link"         // whoever has a link; the name is what they call themselves
	Nobody      ActorKind = "nobody"       // not logged in
	CommandLine ActorKind = "command_line" // the orq command, on a machine that reaches the database
	System      ActorKind = "system"       // orq itself
)

// Actor is who changes something. What it is not has the zero UUID.
type Actor struct {
	Kind    ActorKind
	ID      uuid.UUID // the user
	Name    string
	Session uuid.UUID
	Token   uuid.UUID // the API token; it has no session
}

// Origin is who does something, and from where. It travels in the context of a request or a command.
type Origin struct {
	Actor     Actor
	Address   string // empty on the command line
	RequestID string
}

type originKey struct{}

// With returns a context in which changes are o's.
func With(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// From answers whose changes are made in ctx: the system's where nobody said.
func From(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(Origin); ok {
		return o
	}
	return Origin{Actor: Actor{Kind: System, Name: "orq"}}
}

// Object is what is changed. Its kind is the first part of the action.
type Object struct {
	ID   string // a UUID, or a name where that tells it
	Name string
}

// Of is an object that has a UUID.
func Of(id uuid.UUID, name string) Object { return Object{ID: id.String(), Name: name} }

// Named is an object that its name tells.
func Named(name string) Object { return Object{ID: name, Name: name} }

// Change is what somebody did.
type Change struct {
	Action  Action
	Project uuid.UUID // zero: it is the installation's
	Object  Object
	// Before and After are what changed, as anything that becomes a JSON object; nil where there is nothing. Members that are
	// the same in both are left out. They never hold secrets, passwords, tokens or their hashes.
	Before, After any
	// Actor stands in the place of the context's, where it turns out only in between: at logins.
	Actor *Actor
}

// Data is a JSON object of a change.
type Data map[string]any

// Entry is one line of the record.
type Entry struct {
	Number    int64 // from 1, without gaps
	At        time.Time
	Actor     Actor
	Address   string
	RequestID string
	Action    Action
	Project   uuid.UUID
	Object    Object
	Before    json.RawMessage // as it was written: the hash is over its very bytes
	After     json.RawMessage
	Previous  Hash // the hash of the entry before it
	Hash      Hash
	Seal      []byte // proves Hash to whoever has the installation's key; empty where the writer had none
	SealedBy  string // which key made it
}

// NewEntry is a change that is to be written, as far as it is known before it gets its place in the chain.
func NewEntry(ctx context.Context, c Change) (Entry, error) {
	o := From(ctx)
	if c.Actor != nil {
		o.Actor = *c.Actor
	}
	e := Entry{
		Actor: o.Actor, Address: Clean(o.Address), RequestID: Clean(o.RequestID), Action: c.Action, Project: c.Project,
		Object: Object{ID: Clean(c.Object.ID), Name: Clean(c.Object.Name)},
	}
	e.Actor.Name = Clean(e.Actor.Name)
	var err error
	e.Before, e.After, err = Differences(c.Before, c.After)
	return e, err
}

// Head is where the chain ends, as the database notes it besides the entries themselves.
type Head struct {
	Number int64
	At     time.Time
	Hash   Hash
}

// Follow puts an entry at the end of the chain, at an instant that is not before the end's, and answers the new end.
func (e *Entry) Follow(h Head, now time.Time) Head {
	if now.Before(h.At) {
		now = h.At
	}
	e.Number, e.At, e.Previous = h.Number+1, now.UTC().Truncate(time.Microsecond), h.Hash
	e.Hash = e.Sum()
	return Head{Number: e.Number, At: e.At, Hash: e.Hash}
}
