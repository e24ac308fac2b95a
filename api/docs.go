package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
)

var (
	//go:embed docs.html
	docsPage string
	//go:embed docs.css
	docsStyle []byte
)

// docs serves the contract as JSON and as a page for people.
func docs(e *echo.Echo) error {
	made, err := makeDocuments()
	if err != nil {
		return err
	}
	e.GET(httpx.SpecPath, func(c echo.Context) error { return c.JSONBlob(http.StatusOK, made.spec) })
	e.GET("/docs", func(c echo.Context) error { return c.HTMLBlob(http.StatusOK, made.page) })
	e.GET("/docs/style.css", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/css; charset=utf-8", docsStyle) })
	return nil
}

// documents are the contract as JSON, and the page, which needs no script.
type documents struct{ spec, page []byte }

// makeDocuments writes them once for a program: they change as little as the contract.
var makeDocuments = sync.OnceValues(func() (documents, error) {
	contract, err := loadContract()
	if err != nil {
		return documents{}, err
	}
	spec, err := contract.Doc.MarshalJSON()
	if err != nil {
		return documents{}, fmt.Errorf("write the contract as JSON: %w", err)
	}
	tmpl, err := template.New("docs").Parse(docsPage)
	if err != nil {
		return documents{}, fmt.Errorf("parse the reference page: %w", err)
	}
	reference, err := referenceOf(contract.Doc)
	if err != nil {
		return documents{}, err
	}
	var page bytes.Buffer
	if err := tmpl.Execute(&page, reference); err != nil {
		return documents{}, fmt.Errorf("write the reference page: %w", err)
	}
	return documents{spec: spec, page: page.Bytes()}, nil
})

// What the reference page shows.
type (
	reference struct {
		Title, Version, Description string
		Groups                      []docGroup
		Schemas                     []docSchema
	}
	docGroup struct {
		Name, Description string
		Operations        []docOperation
	}
	docOperation struct {
		ID, Method, Path, Summary, Description, Permission string
		Params                                             []docField
		Body                                               string // the name of its schema
		Answers                                            []docAnswer
	}
	docAnswer struct{ Status, Description, Schema string }
	docSchema struct {
		Name, Description, JSON string
		Fields                  []docField
	}
	docField struct {
		Name, Type, Where, Description string
		Required                       bool
	}
)

func referenceOf(doc *openapi3.T) (reference, error) {
	ref := reference{Title: doc.Info.Title, Version: doc.Info.Version, Description: doc.Info.Description}
	byTag := map[string][]docOperation{}
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			if op := item.GetOperation(method); op != nil {
				byTag[op.Tags[0]] = append(byTag[op.Tags[0]], operationOf(method, path, item, op))
			}
		}
	}
	for _, tag := range doc.Tags {
		operations := byTag[tag.Name]
		slices.SortStableFunc(operations, func(a, b docOperation) int { return strings.Compare(a.Path, b.Path) })
		ref.Groups = append(ref.Groups, docGroup{Name: tag.Name, Description: tag.Description, Operations: operations})
	}
	names := make([]string, 0, len(doc.Components.Schemas))
	for name := range doc.Components.Schemas {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		schema, err := schemaOf(name, doc.Components.Schemas[name].Value)
		if err != nil {
			return ref, err
		}
		ref.Schemas = append(ref.Schemas, schema)
	}
	return ref, nil
}

func operationOf(method, path string, item *openapi3.PathItem, op *openapi3.Operation) docOperation {
	permission, _ := op.Extensions["x-permission"].(string)
	out := docOperation{
		ID: op.OperationID, Method: method, Path: httpx.Prefix + path, Summary: op.Summary, Description: op.Description, Permission: permission,
	}
	for _, p := range slices.Concat(item.Parameters, op.Parameters) {
		out.Params = append(out.Params, docField{
			Name: p.Value.Name, Where: p.Value.In, Type: typeOf(p.Value.Schema), Description: p.Value.Description, Required: p.Value.Required,
		})
	}
	if op.RequestBody != nil {
		out.Body = contentSchema(op.RequestBody.Value.Content)
	}
	for _, status := range op.Responses.Keys() {
		answer := op.Responses.Value(status).Value
		description := ""
		if answer.Description != nil {
			description = *answer.Description
		}
		out.Answers = append(out.Answers, docAnswer{Status: status, Description: description, Schema: contentSchema(answer.Content)})
	}
	return out
}

func contentSchema(content openapi3.Content) string {
	for _, media := range content {
		if media.Schema != nil {
			return refName(media.Schema)
		}
	}
	return ""
}

func refName(s *openapi3.SchemaRef) string { return s.Ref[strings.LastIndex(s.Ref, "/")+1:] }

func schemaOf(name string, s *openapi3.Schema) (docSchema, error) {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return docSchema{}, fmt.Errorf("write the schema %s: %w", name, err)
	}
	out := docSchema{Name: name, Description: s.Description, JSON: string(raw)}
	for _, part := range s.AllOf {
		out.Fields = append(out.Fields, fieldsOf(part.Value)...)
	}
	out.Fields = append(out.Fields, fieldsOf(s)...)
	return out, nil
}

func fieldsOf(s *openapi3.Schema) []docField {
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	fields := make([]docField, 0, len(names))
	for _, name := range names {
		p := s.Properties[name]
		fields = append(fields, docField{
			Name: name, Type: typeOf(p), Description: p.Value.Description, Required: slices.Contains(s.Required, name),
		})
	}
	return fields
}

// typeOf says a schema in a few words: text, one of a, b, list of Step.
func typeOf(s *openapi3.SchemaRef) string {
	if s == nil {
		return ""
	}
	if name := refName(s); name != "" {
		return name
	}
	v := s.Value
	switch {
	case len(v.Enum) > 0:
		words := make([]string, len(v.Enum))
		for i, e := range v.Enum {
			words[i] = fmt.Sprint(e)
		}
		return strings.Join(words, " | ")
	case v.Items != nil:
		return "list of " + typeOf(v.Items)
	case v.Type == nil:
		return "any"
	}
	kind := strings.Join(v.Type.Slice(), " or ")
	if v.Format != "" {
		kind += " (" + v.Format + ")"
	}
	return kind
}
