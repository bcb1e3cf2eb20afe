package cdn

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// errBody is in the chain of errors caused by the content of a body, not by its transport.
var errBody = errors.New("unusable body")

// readBody reads and decompresses a body. Neither the compressed nor the decompressed size
// exceeds limit bytes, whatever the header says. Reading a slow body ends with ctx, even if the
// body ignores both ctx and Close.
func readBody(ctx context.Context, resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", errBody, resp.ContentLength, limit)
	}
	raw := &capped{ctx: ctx, r: resp.Body, left: limit, limit: limit}
	encoding := strings.Join(resp.Header.Values("Content-Encoding"), ",")
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		if resp.ContentLength < 0 {
			return io.ReadAll(raw)
		}
		// With room for another read, which finds the end.
		body := bytes.NewBuffer(make([]byte, 0, resp.ContentLength+bytes.MinRead))
		_, err := body.ReadFrom(raw)
		return body.Bytes(), err
	case "gzip", "x-gzip":
	default:
		return nil, fmt.Errorf("%w: unexpected content encoding %.64q", errBody, encoding)
	}
	body, err := gunzip(ctx, raw, limit)
	switch {
	case err == nil:
		return body, nil
	case raw.err != nil && raw.err != io.EOF: //nolint:errorlint // readers return io.EOF itself
		return nil, raw.err // the cause of gzip's error
	}
	return nil, fmt.Errorf("%w: gzip: %w", errBody, err)
}

func gunzip(ctx context.Context, r io.Reader, limit int64) ([]byte, error) {
	plain, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(&capped{ctx: ctx, r: plain, left: limit, limit: limit})
}

// capped reads at most limit bytes. If there are more, it fails, unlike io.LimitedReader. Its
// first error is permanent.
type capped struct {
	ctx         context.Context // one read of one body
	r           io.Reader
	left, limit int64
	err         error
}

func (c *capped) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.err = c.ctx.Err(); c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		n, err = n-1, fmt.Errorf("%w: more than %d bytes", errBody, c.limit)
	}
	c.err = err
	return n, err
}
