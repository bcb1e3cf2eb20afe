package doctor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/catbridge/catbridge/internal/cdn"
)

const proxyPrefix = "configcat-proxy/"

// streamPath returns the path of the event stream of all flags.
func streamPath(key string) string {
	if name, ok := strings.CutPrefix(key, proxyPrefix); ok {
		return "/sse/" + name + "/eval-all"
	}
	data, _ := json.Marshal(map[string]string{"sdkKey": key}) // text
	return "/sse/eval-all/k/" + base64.RawURLEncoding.EncodeToString(data)
}

// serveStream opens an event stream and waits for the first event. A proxy in front that buffers answers
// delays it, usually forever.
func (d *Doctor) serveStream(ctx context.Context, i int) {
	key := d.Settings.SDKKeys[i].Key
	const buffered = "turn off the buffering of text/event-stream in the proxy in front (in nginx proxy_buffering off, or let X-Accel-Buffering pass)"
	u := *d.serving.base
	u.Path = streamPath(key)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		d.unknown("not checked: the SDK key cannot be part of a URL")
		return
	}
	res, err := d.serving.transport.RoundTrip(req)
	if errors.Is(err, context.DeadlineExceeded) {
		d.fault(buffered, "the stream of events does not begin within %v", d.Timeout)
		return
	}
	if err != nil {
		d.unreachable(err)
		return
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		d.unknown("not checked: %s does not have the right to streams, or a proxy in front does not pass /sse/ on (%s)", cdn.Mask(key), status(res))
		return
	default:
		body, _ := io.ReadAll(io.LimitReader(res.Body, errorBytes))
		d.refused(res, body)
		return
	}
	if kind := res.Header.Get("Content-Type"); kind != "text/event-stream" {
		d.unknown("not checked: the answer has the type %q: a proxy in front does not pass /sse/ on, or this is not catbridge serve", kind)
		return
	}
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" {
		d.fault("turn off the compression of text/event-stream in the proxy in front: it delays events", "the stream of events has the encoding %s", encoding)
		return
	}
	for body := bufio.NewReader(res.Body); ; {
		line, err := body.ReadBytes('\n')
		if bytes.HasPrefix(line, []byte("data: ")) && err == nil {
			d.good("%s receives events", cdn.Mask(key))
			return
		}
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				d.fault(buffered, "no event arrives within %v", d.Timeout)
			} else {
				d.fault(buffered, "the stream of events ends before the first one")
			}
			return
		}
	}
}
