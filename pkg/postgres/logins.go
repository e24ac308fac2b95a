package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/migrations"
)

// The roles in the database, each with what one of the programs needs; migrations/roles/roles.sql says what that is.
const (
	RoleAPI       = "orq_api"
	RoleScheduler = "orq_scheduler"
	RoleWorker    = "orq_worker"
)

// rolesLock lets one grant at a time: two at once would change the same rows of the catalogue.
const rolesLock = 7_206_331_405

// grantRoles gives each role what it needs in the database.
func grantRoles(ctx context.Context, databaseURL string) error {
	return asOwner(ctx, databaseURL, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(rolesLock)); err != nil {
				return fmt.Errorf("wait to grant: %w", err)
			}
			if _, err := tx.Exec(ctx, migrations.Roles); err != nil {
				return fmt.Errorf("grant the roles what they need: %w", err)
			}
			return nil
		})
	})
}

// SetLogins lets roles log in, each with the password given for it. The server gets what it can check a password by
// (SCRAM-SHA-256, RFC 7677), never the password itself, which would stand in its log.
func SetLogins(ctx context.Context, databaseURL string, passwords map[string]string) error {
	return asOwner(ctx, databaseURL, func(conn *pgx.Conn) error {
		for _, role := range slices.Sorted(maps.Keys(passwords)) {
			verifier, err := scramVerifier(passwords[role])
			if err != nil {
				return fmt.Errorf("the password of %s: %w", role, err)
			}
			// Neither text holds a quote.
			_, err = conn.Exec(ctx, "alter role "+pgx.Identifier{role}.Sanitize()+" login password '"+verifier+"'")
			if err != nil {
				return fmt.Errorf("let %s log in: %w", role, err)
			}
		}
		return nil
	})
}

// As is the database's URL for a role.
func As(databaseURL, role, password string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", fmt.Errorf("read the database URL: %w", redactURL(err))
	}
	u.User = url.UserPassword(role, password)
	return u.String(), nil
}

func asOwner(ctx context.Context, databaseURL string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", redactURL(err))
	}
	return errors.Join(do(conn), conn.Close(ctx))
}

// scramIterations is PostgreSQL's own default.
const scramIterations = 4096

// scramVerifier is a password as PostgreSQL stores it; see src/common/scram-common.c, scram_build_secret. A text of ASCII needs
// no further preparation (SASLprep).
func scramVerifier(password string) (string, error) {
	if password == "" {
		return "", errors.New("is empty")
	}
	for _, r := range password {
		if r < ' ' || r > '~' {
			return "", errors.New("must be made of printable ASCII characters; try: openssl rand -hex 32")
		}
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (documented since Go 1.24)
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("salt it: %w", err)
	}
	signed := func(with string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(with))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(signed("Client Key"))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations, text(salt), text(stored[:]), text(signed("Server Key"))), nil
}
