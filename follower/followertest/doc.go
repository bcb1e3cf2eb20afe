// Package followertest helps to test code that evaluates feature flags with a
// [follower.Client]: it gives clients that hold the values of a map, which a test may
// change as it goes on, and a CDN to fetch configs from.
//
//	flags := followertest.New(t, map[string]any{"newCheckout": false, "itemsPerPage": 20})
//	shop := NewShop(flags.Client)
//	...
//	flags.Set("newCheckout", true) // the next evaluation gives true
//
// The clients are real ones. They take their config from a Redis in the memory of the
// process, with no network, and take up a change just as they would in production: hooks
// are told, too. It works within testing/synctest bubbles.
package followertest
