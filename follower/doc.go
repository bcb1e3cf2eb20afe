// Package follower is a ConfigCat SDK whose config comes out of Redis.
package follower
