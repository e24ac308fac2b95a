package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"testing"
)

// Long answers are compressed for those who can read that, short ones and errors are sent as they are.
func TestLongAnswersAreCompressed(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for range 5 {
		ana.post("/workflows", example()).want(201)
	}
	zipped := header("Accept-Encoding", "gzip")

	list := ana.fetch("GET", "/api/v1/workflows", nil, zipped)
	if list.status != 200 || list.header.Get("Content-Encoding") != "gzip" || list.header.Get("Vary") == "" {
		t.Fatalf("%d %v", list.status, list.header)
	}
	r, err := gzip.NewReader(bytes.NewReader(list.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	var page struct{ Items []object }
	if err != nil || json.Unmarshal(text, &page) != nil || len(page.Items) != 5 {
		t.Errorf("%v: %s", err, text)
	}

	for _, short := range []answer{
		ana.fetch("GET", "/api/v1/auth/me", nil, zipped),
		ana.fetch("GET", "/api/v1/runs/none", nil, zipped),
		ana.fetch("GET", "/api/v1/nothing-here", nil, zipped),
	} {
		if short.header.Get("Content-Encoding") != "" || !json.Valid(short.body) {
			t.Errorf("%s: %d %v\n%q", short.req.URL.Path, short.status, short.header, short.body)
		}
	}
	if all := ana.fetch("GET", "/api/v1/workflows", nil, header("Accept-Encoding", "identity")); all.header.Get("Content-Encoding") != "" || !bytes.Equal(all.body, text) {
		t.Errorf("%v\n%s", all.header, all.body)
	}
}
