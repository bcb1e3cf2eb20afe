package follower

import (
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// Content is the config JSON that a client has in force, without flag overrides, for code that
// serves or stores it.
type Content struct {
	// JSON is the config JSON as the CDN returned it. It must not be changed.
	JSON []byte
	// Config is JSON, compiled. All clients of the process with this content share it.
	Config *evaluate.Config
	Hash   string // SHA-256 of JSON, in lower-case hexadecimal
	Rev    int64  // orders the contents of one SDK key; rises when the CDN confirms the same JSON
	// FetchTime is when the CDN last returned or confirmed the content, in UTC, by the clock of
	// its writer. Zero: unknown.
	FetchTime time.Time
	// LastConfirmed is the same by the local clock, see [Stats]. Zero: unknown.
	LastConfirmed time.Time
}

// Content returns the content in force. ok is false if there is none. The call takes no lock and
// asks neither Redis nor the CDN. See [Client.OnConfigChanged] for changes of the content.
func (c *Client) Content() (content Content, ok bool) {
	s := c.holder.Current()
	if s == nil || s.JSON == nil {
		return Content{}, false
	}
	content = Content{JSON: s.JSON, Config: s.Config, Hash: s.Hash, Rev: s.Rev, FetchTime: s.FetchedAt()}
	now := time.Now()
	if age, known := c.holder.Answer().Age(now); known {
		content.LastConfirmed = now.Add(-age)
	}
	return content, true
}
