// Command licences finds under which licences the parts stand that other people wrote: the Go modules linked into the program,
// and the packages in the web interface. It fails when there is one that may not be given on under this project's own licence,
// or none. With -texts it prints the licences themselves, which those who give the program on have to give with it.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// part is something that somebody else wrote.
type part struct {
	name, version string
	licences      []string // SPDX identifiers
	text          []byte   // of its licence
}

// allowed are licences that let the part be given on with this program, whose own is MIT.
var allowed = []string{
	"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "BlueOak-1.0.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unlicense", "Zlib",
	"Python-2.0", "PostgreSQL",
}

func main() {
	texts := flag.Bool("texts", false, "print the texts of the licences")
	flag.Parse()
	if err := run(*texts); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(texts bool) error {
	modules, err := goModules()
	if err != nil {
		return err
	}
	packages, err := npmPackages("frontend")
	if err != nil {
		return err
	}
	all := slices.Concat(modules, packages)
	if texts {
		return printTexts(all)
	}
	count := map[string]int{}
	var wrong []string
	for _, p := range all {
		for _, licence := range p.licences {
			count[licence]++
			if !slices.Contains(allowed, licence) {
				wrong = append(wrong, fmt.Sprintf("%s %s: %s", p.name, p.version, licence))
			}
		}
		if len(p.licences) == 0 {
			wrong = append(wrong, fmt.Sprintf("%s %s: no licence was found", p.name, p.version))
		}
	}
	names := make([]string, 0, len(count))
	for licence, n := range count {
		names = append(names, fmt.Sprintf("%s %d", licence, n))
	}
	slices.Sort(names)
	fmt.Printf("%d Go modules and %d packages of npm: %s\n", len(modules), len(packages), strings.Join(names, ", "))
	if len(wrong) > 0 {
		return fmt.Errorf("these may not be given on, or nobody knows:\n  %s", strings.Join(wrong, "\n  "))
	}
	return nil
}

func printTexts(all []part) error {
	var b strings.Builder
	b.WriteString("Orquestador contains the work of others, under the licences that follow.\n")
	for _, p := range all {
		fmt.Fprintf(&b, "\n%s\n%s %s: %s\n\n%s\n", strings.Repeat("-", 80), p.name, p.version, strings.Join(p.licences, ", "), p.text)
	}
	_, err := os.Stdout.WriteString(b.String())
	return err //nolint:wrapcheck // standard output is gone
}
