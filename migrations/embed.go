// Package migrations holds the database's schema as numbered SQL files, built into the binary.
package migrations

import "embed"

// FS holds the migrations in goose's format.
//
//go:embed *.sql
var FS embed.FS
