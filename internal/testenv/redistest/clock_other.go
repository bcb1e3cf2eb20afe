//go:build !linux

package redistest

// Clock is there on Linux only.
type Clock struct{}

func (c *Clock) environ() []string { return nil }
