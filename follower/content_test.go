package follower

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

func TestContentIsTheJSONInForce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c := n.ready(t)
		if content, ok := c.Content(); ok {
			t.Fatalf("content %+v before there is a config", content)
		}
		w := n.writer(t, 1)
		w.beat()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		content, ok := c.Content()
		if !ok || string(content.JSON) != string(configJSON(1)) || content.Hash != wire.ContentHash(configJSON(1)) {
			t.Fatalf("content %q, hash %q, %v", content.JSON, content.Hash, ok)
		}
		if stats := c.Stats(); content.Rev != stats.Rev || !content.LastConfirmed.Equal(stats.LastConfirmed) || content.LastConfirmed.IsZero() {
			t.Errorf("rev %d, confirmed %v; the stats say %d, %v", content.Rev, content.LastConfirmed, stats.Rev, stats.LastConfirmed)
		}
		if want := time.UnixMilli(content.Rev).UTC(); !content.FetchTime.Equal(want) {
			t.Errorf("fetch time %v, want %v", content.FetchTime, want)
		}
	})
}

func TestLocalOnlyClientsHaveNoContent(t *testing.T) {
	c, err := New(Config{FlagOverrides: &FlagOverrides{Values: map[string]any{"a": true}, Behavior: LocalOnly}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if content, ok := c.Content(); ok {
		t.Errorf("content %+v", content)
	}
}
