package api_test

import (
	"io"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

func init() {
	// The library knows no lines of JSON; what is in them is looked at by the tests.
	asText := func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		text, err := io.ReadAll(body)
		return string(text), err
	}
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", asText)
	openapi3filter.RegisterBodyDecoder("text/csv", asText)
}

var auditCalls = map[string]func(p place, who *client) call{
	"listAudit":          simply("/audit", nil),
	"exportAudit":        simply("/audit/export", nil),
	"verifyAudit":        simply("/audit/verification", nil),
	"listProjectAudit":   ofProject("/audit", nil),
	"exportProjectAudit": ofProject("/audit/export?format=csv", nil),
}
