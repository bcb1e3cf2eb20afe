// Package followertest helps to test code that evaluates feature flags with a [follower.Client].
// It provides clients with flags from a map, which a test can change while it runs, and a CDN
// that serves configs.
//
//	flags := followertest.New(t, map[string]any{"newCheckout": false, "itemsPerPage": 20})
//	shop := NewShop(flags.Client)
//	...
//	flags.Set("newCheckout", true) // the next evaluation returns true
//
// The clients are real ones. They read their config from a Redis in the memory of the process,
// without a network, and receive changes as in production, including calls of hooks. They work
// in testing/synctest bubbles.
package followertest
