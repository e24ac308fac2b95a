// Package frontend carries the built web interface inside the binary. dist/ is written by `npm run build`; before the
// first build it holds only .gitkeep, so the program compiles and the server can say that the interface is not built.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var files embed.FS

// FS returns the root of the built interface: index.html, assets/ (names with a content hash, each with .br and .gz
// beside it) and the few files that keep their name. index.html is missing until the interface has been built.
func FS() fs.FS {
	root, err := fs.Sub(files, "dist")
	if err != nil {
		panic(err) // the path is a constant of this file: unreachable
	}
	return root
}
