package egress

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// read takes the body: the first maxKept bytes are kept, and the rest is read, up to maxRead in all, so that the
// server can finish and the connection be used again. Both count after decompression, so a bomb ends there too.
func (c *Client) read(ctx context.Context, at hop, answer *http.Response) (*Response, error) {
	defer answer.Body.Close()
	r := &Response{Status: answer.StatusCode, Header: answer.Header, URL: shownURL(at.url)}
	if at.method == http.MethodHead || r.Status == http.StatusNoContent || r.Status == http.StatusNotModified {
		return r, nil
	}
	body, err := decompressed(answer)
	if err != nil {
		return nil, c.bodyError(ctx, at, err)
	}
	var kept bytes.Buffer
	n, err := io.Copy(&kept, io.LimitReader(body, c.maxKept))
	if err != nil {
		return nil, c.bodyError(ctx, at, err)
	}
	r.Body = kept.Bytes()
	if n < c.maxKept {
		return r, nil
	}
	var one [1]byte
	if _, err := io.ReadFull(body, one[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		return nil, c.bodyError(ctx, at, err)
	}
	r.Truncated = true
	// What is to be kept is here; whatever happens to the rest is no failure of the call.
	_, _ = io.CopyN(io.Discard, body, c.maxRead-c.maxKept)
	return r, nil
}

// decompressed undoes one gzip or deflate; other codings are left as they are.
func decompressed(answer *http.Response) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(answer.Header.Get("Content-Encoding")))
	if coding != "gzip" && coding != "x-gzip" && coding != "deflate" {
		return answer.Body, nil
	}
	answer.Header.Del("Content-Encoding")
	answer.Header.Del("Content-Length")
	body := bufio.NewReader(answer.Body)
	head, err := body.Peek(2)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return body, nil // a coding of nothing
	}
	switch {
	case coding != "deflate":
		return gzip.NewReader(body)
	case len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0:
		return zlib.NewReader(body)
	default: // some servers send deflate without its envelope
		return flate.NewReader(body), nil
	}
}

func (c *Client) bodyError(ctx context.Context, at hop, err error) error {
	var badDeflate flate.CorruptInputError
	if ctx.Err() == nil && (errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.As(err, &badDeflate)) {
		return failed(KindProtocol, err, "the answer of %s cannot be decompressed", shownURL(at.url))
	}
	return explain(ctx, at.url, err)
}
