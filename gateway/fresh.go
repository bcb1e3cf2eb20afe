package gateway

import (
	"time"

	"github.com/catbridge/catbridge/internal/stream"
)

// freshSource ends a stream as soon as the config is older than allowed (G4): when the client connects again, the
// answer says so.
type freshSource struct {
	stream.Source
	stream *stream.Stream
	site   *site
	most   time.Duration // the greatest age
	timer  *time.Timer   // checks the age when the config may have reached it
}

// fresh returns a source for a stream of a site, and a function that the caller must call when the stream is
// over. Without a limit it is the source itself.
func (g *Gateway) fresh(source stream.Source, s *stream.Stream, of *site) (stream.Source, func()) {
	if g.maxStale == 0 {
		return source, func() {}
	}
	f := &freshSource{Source: source, stream: s, site: of, most: g.maxStale}
	f.timer = time.AfterFunc(g.maxStale, f.check)
	return f, func() { f.timer.Stop() }
}

// Current implements [stream.Source]. Nothing is sent of a config that is older than allowed.
func (f *freshSource) Current() (stream.Frame, <-chan struct{}) {
	frame, replaced := f.Source.Current()
	if f.left() < 0 {
		f.stream.End()
		return nil, replaced
	}
	return frame, replaced
}

func (f *freshSource) check() {
	if left := f.left(); left < 0 {
		f.stream.End()
	} else {
		f.timer.Reset(left + 1) // it is allowed to have the greatest age
	}
}

// left returns the time until the config is too old, unless the CDN confirms it again. It is negative if the
// config is too old, or of unknown age.
func (f *freshSource) left() time.Duration {
	at, known := f.site.confirmed()
	if !known {
		return -1
	}
	return f.most - time.Since(at)
}
