// Package migrations holds the database's schema as numbered SQL files, and who may do what in it, built into the binary.
package migrations

import "embed"

// FS holds the migrations in goose's format.
//
//go:embed *.sql
var FS embed.FS

// Roles grants what each role needs, and nothing else. It can be applied again and again.
//
//go:embed roles/roles.sql
var Roles string
