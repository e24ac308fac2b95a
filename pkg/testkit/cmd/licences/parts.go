package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// enough is the part of a file, in percent, that has to be a known licence: the rest are names and years.
const enough = 50

// goModules are the modules of which something is linked into the program.
func goModules() ([]part, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Module", ".")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the modules: %w", err)
	}
	type module struct {
		Path, Version, Dir string
		Main               bool
	}
	found := map[string]part{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ Module *module }
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the modules: %w", err)
		}
		if m := p.Module; m != nil && !m.Main {
			found[m.Path] = read(m.Path, m.Version, m.Dir)
		}
	}
	// What is linked of Go itself stands under the licence beside it.
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find Go: %w", err)
	}
	found["go"] = read("Go's standard library", "", strings.TrimSpace(string(root)))
	if len(found["go"].licences) == 0 {
		found["go"] = part{name: "Go's standard library", licences: []string{"BSD-3-Clause"}} // some distributions leave the file out
	}
	return sorted(found), nil
}

// read looks at the files in a folder that are licences by their names.
func read(name, version, dir string) part {
	p := part{name: name, version: version}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return p
	}
	for _, entry := range entries {
		upper := strings.ToUpper(entry.Name())
		if entry.IsDir() || !strings.HasPrefix(upper, "LICEN") && !strings.HasPrefix(upper, "COPYING") && upper != "NOTICE" && upper != "NOTICE.TXT" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue
		}
		p.text = append(append(p.text, text...), '\n')
		if cover := licensecheck.Scan(text); cover.Percent >= enough {
			for _, match := range cover.Match {
				if !match.IsURL && !slices.Contains(p.licences, match.ID) {
					p.licences = append(p.licences, match.ID)
				}
			}
		}
	}
	return p
}

// npmPackages are the packages of which something may be in what the browser gets: those that are no tools for making it.
func npmPackages(dir string) ([]part, error) {
	text, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return nil, fmt.Errorf("read the packages: %w", err)
	}
	var lock struct {
		Packages map[string]struct {
			Version, License string
			Dev, Optional    bool
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, fmt.Errorf("read the packages: %w", err)
	}
	found := map[string]part{}
	for path, entry := range lock.Packages {
		if path == "" || entry.Dev {
			continue
		}
		_, name, _ := strings.Cut(path, "node_modules/")
		p := read(name, entry.Version, filepath.Join(dir, path))
		if entry.License != "" {
			p.licences = licencesOf(entry.License)
		}
		found[path] = p
	}
	return sorted(found), nil
}

// licencesOf reads an SPDX expression: of several to choose from, the first that is allowed; all of those that hold together.
func licencesOf(expression string) []string {
	expression = strings.Trim(expression, "()")
	for choice := range strings.SplitSeq(expression, " OR ") {
		if slices.Contains(allowed, choice) {
			return []string{choice}
		}
	}
	return strings.Split(expression, " AND ")
}

func sorted(found map[string]part) []part {
	var all []part
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[name])
	}
	return all
}
