// Package cachekeys defines what other programs may share with the bridge on Redis: the names of
// its keys and channel, and the [Entry], which every official ConfigCat SDK reads and writes.
//
// All names for one SDK key derive from k. k is h, the shared-cache key of the official
// SDKs (S90), or NAMESPACE:h if there is a namespace. k is the hash tag of all other
// keys, so all share one cluster slot, and one script can change them together (I3).
// [For] returns all these names.
//
//	k                       the official entry, read by every SDK
//	catbridge:{k}:lock      the leader's lock, expires
//	catbridge:{k}:meta      hash: which content is current
//	catbridge:{k}:blob      that content as followers read it
//	catbridge:{k}:patches   how it differs from earlier content
//	catbridge:{k}:history   stream, the changes of the content
//	catbridge:{k}:control   what operators put in force instead of
//	                        the CDN's content: a pin, forced flags
//	catbridge:{k}:pinned    the content that they pinned
//	catbridge:{k}:source    the CDN's content while something is
//	                        in force
//	catbridge:{k}:fleet     sorted set, optional reports of followers
//	catbridge:{k}:hook:{id} marks an accepted webhook's ID, expires
//	catbridge:{k}:events    the channel; in database N above 0 it
//	                        is catbridge:{k}:events@N
//
// Only the names and the entry are stable. The other values may change with any release.
//
// Redis shares its channels among all databases, so a channel's name contains the database.
// Namespaces separate fleets that share a database and an SDK key. An official SDK reads
// the entry of a namespace if its cache adapter puts NAMESPACE: before the key.
//
// The package has no state and does no I/O. All functions are safe for concurrent use.
// Numbers such as I3 refer to the guarantees in docs/guarantees.md, S90 to docs/sdk-surface.md.
package cachekeys
