package postgres_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ofNobody are the tables whose rows belong to no project.
var ofNobody = []string{
	"users", "sessions", "refresh_tokens", "password_resets", "projects", "queues", "workers", "host_limits", "zone_data", "idempotency_keys",
	"audit_head",
}

var (
	createsTable = regexp.MustCompile(`(?m)^create table ([a-z_]+) \((?:\s|--)`)
	touchesTable = regexp.MustCompile(`(?i)\b(?:from|join|update|into)\s+([a-z_]+)`)
	// A condition on the project, or a row that says which project it is of.
	staysWithin = regexp.MustCompile(`(?i)project_id\s*=|project_id\s+(?:in|is not distinct from)\b|insert into [a-z_]+ (?:as [a-z]+ )?\([a-z_, \n]*project_id`)
)

// Every statement on a tenant's data names the project that it is for, so that forgetting who asks is no way to the data of
// others. Which tables hold such data follows from the migrations: all of them, unless listed above. A function that has a
// reason to do without is in unscoped, with the reason; one that is there without need fails the test too.
func TestStatementsStayWithinProjects(t *testing.T) {
	tenant := tenantTables(t)
	constants, functions := source(t)
	reasons := map[string]string{}
	for reason, names := range unscoped {
		for _, name := range names {
			reasons[name] = reason
		}
	}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		var loose []string
		for _, statement := range statements(functions[name], constants) {
			if staysWithin.MatchString(statement) {
				continue
			}
			for _, m := range touchesTable.FindAllStringSubmatch(statement, -1) {
				if slices.Contains(tenant, m[1]) && !slices.Contains(loose, m[1]) {
					loose = append(loose, m[1])
				}
			}
		}
		switch _, allowed := reasons[name]; {
		case len(loose) > 0 && !allowed:
			t.Errorf("%s reads or writes %s without a project: take the project ids as an argument, or give a reason in unscoped", name, strings.Join(loose, ", "))
		case len(loose) == 0 && allowed:
			t.Errorf("%s needs no reason any more (%s): take it out of unscoped", name, reasons[name])
		}
	}
	for name := range reasons {
		if functions[name] == nil {
			t.Errorf("unscoped names %s, which is not there", name)
		}
	}
}

// What works through every project's rows is for the roles that do so. An operation of the API may not call it.
func TestNoOperationGoesThroughEveryProject(t *testing.T) {
	files, err := filepath.Glob("../../api/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the API's files: %v, %v", files, err)
	}
	called := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, decl := range parse(t, file).Decls {
			for _, name := range storesCalled(decl) {
				called++
				if slices.Contains(unscoped[engine], name) {
					t.Errorf("%s calls %s, which goes through every project", file, name)
				}
			}
		}
	}
	if called < 50 {
		t.Errorf("only %d calls of stores were found: the test looks in the wrong way", called)
	}
}

// tenantTables reads the migrations.
func tenantTables(t *testing.T) (tables []string) {
	t.Helper()
	files, err := filepath.Glob("../../migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("the migrations: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range createsTable.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(ofNobody, m[1]) {
				tables = append(tables, m[1])
			}
		}
	}
	return tables
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// source reads the package: its constants and variables that are texts, and its functions, methods as Store.Method.
func source(t *testing.T) (constants map[string]ast.Expr, functions map[string]*ast.FuncDecl) {
	t.Helper()
	constants, functions = map[string]ast.Expr{}, map[string]*ast.FuncDecl{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, decl := range parse(t, file).Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				functions[nameOf(d)] = d
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for i, value := range v.Values {
							constants[v.Names[i].Name] = value
						}
					}
				}
			}
		}
	}
	return constants, functions
}

func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	name, _ := of.(*ast.Ident)
	return name.Name + "." + f.Name.Name
}

// statements are the texts that a function uses, put together of literals and constants. Those of a map or a list of texts
// that it names count one by one.
func statements(f *ast.FuncDecl, constants map[string]ast.Expr) (texts []string) {
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.BinaryExpr, *ast.BasicLit:
			if text := textOf(e.(ast.Expr), constants); text != "" { //nolint:forcetypeassert // both are
				texts = append(texts, text)
				return false
			}
		case *ast.Ident:
			value, ok := constants[e.Name]
			if _, isList := value.(*ast.CompositeLit); ok && isList {
				ast.Inspect(value, visit)
			} else if ok {
				if text := textOf(value, constants); text != "" {
					texts = append(texts, text)
				}
			}
		}
		return true
	}
	if f.Body != nil {
		ast.Inspect(f.Body, visit)
	}
	return texts
}

// textOf puts a text together; what is only known when the program runs is left out.
func textOf(e ast.Expr, constants map[string]ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return ""
		}
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return ""
		}
		return textOf(e.X, constants) + textOf(e.Y, constants)
	case *ast.ParenExpr:
		return textOf(e.X, constants)
	case *ast.Ident:
		if value, ok := constants[e.Name]; ok {
			return textOf(value, constants)
		}
	}
	return ""
}

// storesCalled are the methods of stores that a declaration calls, as Store.Method.
func storesCalled(decl ast.Decl) (names []string) {
	stores := map[string]string{} // of the variables that hold one
	ast.Inspect(decl, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.AssignStmt:
			for i, value := range e.Rhs {
				if name, ok := e.Lhs[min(i, len(e.Lhs)-1)].(*ast.Ident); ok && storeOf(value) != "" {
					stores[name.Name] = storeOf(value)
				}
			}
		case *ast.SelectorExpr:
			if store := storeOf(e.X); store != "" {
				names = append(names, store+"."+e.Sel.Name)
			} else if held, ok := e.X.(*ast.Ident); ok && stores[held.Name] != "" {
				names = append(names, stores[held.Name]+"."+e.Sel.Name)
			}
		}
		return true
	})
	return names
}

// storeOf is the type of postgres.Store{…}; empty for everything else.
func storeOf(e ast.Expr) string {
	if paren, ok := e.(*ast.ParenExpr); ok {
		return storeOf(paren.X)
	}
	made, ok := e.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	of, ok := made.Type.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if from, ok := of.X.(*ast.Ident); !ok || from.Name != "postgres" {
		return ""
	}
	return of.Sel.Name
}
