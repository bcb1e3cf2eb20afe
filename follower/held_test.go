package follower

import (
	"log/slog"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
)

// heldClient returns a client without Redis whose config is json.
func heldClient(t testing.TB, logger *slog.Logger, json []byte) *Client {
	t.Helper()
	c := &Client{evaluator: evaluator{log: eventlog.New(logger)}, holder: &holder{}}
	c.updater = &updater{holder: c.holder, fetcher: new(fetcher)}
	if json == nil {
		return c
	}
	config, err := evaluate.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	c.holder.current.Store(&snapshot{config: config, rev: wire.MinRev, hash: wire.ContentHash(json), source: SourceBlob})
	return c
}
