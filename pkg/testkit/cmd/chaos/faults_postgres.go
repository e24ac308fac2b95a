package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

func restartPostgres(ctx context.Context, t *trial) error { return t.withoutPostgres(ctx, 0) }

func stopPostgres(ctx context.Context, t *trial) error {
	return t.withoutPostgres(ctx, pick(t.form, 60*time.Second, 8*time.Second))
}

// withoutPostgres stops PostgreSQL for a time.
func (t *trial) withoutPostgres(ctx context.Context, d time.Duration) error {
	mended := t.broken()
	t.gone()
	if err := t.stopPostgres(ctx); err != nil {
		return err
	}
	if err := pause(ctx, d); err != nil {
		return err
	}
	if err := t.startPostgres(ctx); err != nil {
		return err
	}
	t.back()
	mended()
	return nil
}

// cutOurs ends the connections of the installation.
const cutOurs = `select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'orq-%'`

func (t *trial) admin(ctx context.Context) (*pgx.Conn, error) {
	db, err := pgx.Connect(ctx, t.databaseURL)
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return db, nil
}

// exhaustPool takes every connection for idle clients: it cuts the installation's and takes their place, again and again.
func exhaustPool(ctx context.Context, t *trial) error {
	db, err := t.admin(ctx)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	mended := t.broken()
	t.gone()
	var idle []*pgx.Conn
	until := time.Now().Add(pick(t.form, 20*time.Second, 6*time.Second))
	left := 0
	for time.Now().Before(until) {
		for {
			conn, err := t.admin(ctx)
			if err != nil {
				break // there is no more
			}
			idle = append(idle, conn)
		}
		if _, err := db.Exec(ctx, cutOurs); err != nil {
			return fmt.Errorf("cut connections: %w", err)
		}
		if err := db.QueryRow(ctx, `select count(*) from pg_stat_activity where application_name like 'orq-%'`).Scan(&left); err != nil {
			return fmt.Errorf("count connections: %w", err)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	t.note("idle_clients", len(idle))
	t.note("connections_left", left)
	for _, conn := range idle {
		_ = conn.Close(ctx)
	}
	t.back()
	mended()
	return nil
}

// denyWrites makes every transaction read-only for a while.
func denyWrites(ctx context.Context, t *trial) error {
	db, err := t.admin(ctx)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	do := func(statements ...string) error {
		for _, statement := range statements {
			if _, err := db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}
	mended := t.broken()
	t.gone()
	if err := do(`alter system set default_transaction_read_only = on`, `select pg_reload_conf()`, cutOurs); err != nil {
		return err
	}
	if err := pause(ctx, pick(t.form, 20*time.Second, 6*time.Second)); err != nil {
		return err
	}
	if err := do(`alter system reset default_transaction_read_only`, `select pg_reload_conf()`); err != nil {
		return err
	}
	t.back()
	mended()
	return nil
}
