package follower

import (
	"log/slog"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
)

// heldClient returns a client without Redis whose config is json.
func heldClient(t testing.TB, logger *slog.Logger, json []byte) *Client {
	t.Helper()
	c := &Client{evaluator: evaluator{log: eventlog.New(logger)}, holder: snapshot.NewHolder(nil)}
	c.updater = &updater{holder: c.holder, fetcher: new(fetcher)}
	if json == nil {
		return c
	}
	config, err := evaluate.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	c.holder.Put(&snapshot.Snapshot{Config: config, Rev: wire.MinRev, Hash: wire.ContentHash(json), Source: snapshot.SourceBlob})
	return c
}
