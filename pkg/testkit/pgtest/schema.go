package pgtest

import (
	"testing"

	"github.com/guildmember145/orquestador-plataforma/migrations"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

var schema = Migrator{Files: migrations.FS, Migrate: postgres.Migrate}

// DB returns the URL of a fresh database with this program's schema; it is dropped when the test ends. Tests inside
// package postgres have to be external ones (package postgres_test), because this package imports that one.
func DB(t testing.TB) string {
	t.Helper()
	return schema.DB(t)
}
