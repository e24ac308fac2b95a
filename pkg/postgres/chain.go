package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
)

// Sealer proves what a process that has the installation's key wrote; secret.Keyring does.
type Sealer interface {
	KeyID() string
	Sign(purpose string, what []byte) []byte
}

// SealWith seals the entries of the audit log that are written through this pool. It is called before the pool is used.
func (db *DB) SealWith(s Sealer) { db.sealer = s }

// recording is a transaction with the entries of the audit log that belong to it. They get their places in the chain at its
// end: from then on it waits for nothing, so that those who wait for the end of the chain never wait for each other.
type recording struct {
	pgx.Tx
	sealer  Sealer
	entries []audit.Entry
}

// InTx runs fn in a transaction that commits when fn returns nil. What Note was told in it is written with it.
func (db *DB) InTx(ctx context.Context, fn func(q Querier) error) error {
	err := pgx.BeginFunc(ctx, db.Pool, func(tx pgx.Tx) error {
		r := &recording{Tx: tx, sealer: db.sealer}
		if err := fn(r); err != nil {
			return err
		}
		return r.chain(ctx)
	})
	return translate(err)
}

// InSnapshot runs fn in a transaction that sees the database as it is when it begins, and changes nothing.
func (db *DB) InSnapshot(ctx context.Context, fn func(q Querier) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, db.Pool, options, func(tx pgx.Tx) error { return fn(tx) })
	return translate(err)
}

// Note notes a change in the audit log, in the transaction that makes it: neither is there without the other. q is what
// InTx gave.
func Note(ctx context.Context, q Querier, c audit.Change) error {
	e, err := audit.NewEntry(ctx, c)
	if err != nil {
		return fmt.Errorf("note %s: %w", c.Action, err)
	}
	return NoteEntry(q, e)
}

// NoteEntry is Note for a transaction that is not in the context of who makes the change.
func NoteEntry(q Querier, e audit.Entry) error {
	r, ok := q.(*recording)
	if !ok {
		return fmt.Errorf("note %s: it needs the transaction that makes the change", e.Action)
	}
	r.entries = append(r.entries, e)
	return nil
}

// chain writes the entries behind the last one.
func (r *recording) chain(ctx context.Context) error {
	if len(r.entries) == 0 {
		return nil
	}
	var head audit.Head
	var now time.Time
	var hash []byte
	err := r.QueryRow(ctx, `select number, at, hash, clock_timestamp() from audit_head for update`).Scan(&head.Number, &head.At, &hash, &now)
	if err != nil {
		return fmt.Errorf("find the end of the audit log: %w", err)
	}
	copy(head.Hash[:], hash)
	batch := &pgx.Batch{}
	for i := range r.entries {
		e := &r.entries[i]
		head = e.Follow(head, now)
		if r.sealer != nil {
			e.Seal, e.SealedBy = r.sealer.Sign(audit.SealPurpose, e.Hash[:]), r.sealer.KeyID()
		}
		batch.Queue(insertEntry, maybeID(e.Project), e.Number, e.At, e.Actor.Kind, maybeID(e.Actor.ID), e.Actor.Name, maybeID(e.Actor.Session), maybeID(e.Actor.Token), e.Address,
			e.RequestID, e.Action, e.Object.ID, e.Object.Name, maybeText(e.Before), maybeText(e.After), e.Previous[:], e.Hash[:], e.Seal, e.SealedBy)
	}
	batch.Queue(`update audit_head set number = $1, at = $2, hash = $3`, head.Number, head.At, head.Hash[:])
	if err := r.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

const insertEntry = `
	insert into audit_entries (project_id, number, at, actor_kind, actor_id, actor_name, session_id, token_id, address,
	       request_id, action, object_id, object_name, before, after, previous, hash, seal, sealed_by)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, nullif($19, ''))`

// maybeID is null for the zero UUID.
func maybeID(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// maybeText is null for none.
func maybeText(raw []byte) *string {
	if len(raw) == 0 {
		return nil
	}
	text := string(raw)
	return &text
}
