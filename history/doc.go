// Package history reads the history of a config: which contents were in force, since when and why,
// and the contents themselves.
//
// The leader adds an entry to a stream in Redis in the same script that publishes a changed config.
// Each entry has the facts of the new content and how to make the content before of it. So a
// content is made of the current one, step by step, and each step is verified by its hash. Where a
// leader did not hold the content before, or where that was too large, the history has a gap:
// contents before it may be unavailable, but their facts are known.
//
// The leader bounds the number of entries and their size, see leader.Config. A user of Redis needs the
// rights +xrevrange, +hmget, +getrange and +time to read a history. The package never writes.
package history
