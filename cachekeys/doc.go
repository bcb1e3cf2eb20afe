// Package cachekeys defines the bridge's formats on Redis: the names of keys
// and channels, and the bytes of everything that is stored or published.
//
// Leaders write these formats and followers read them. The official ConfigCat SDKs read
// and write one of them, the [Entry]. All parsers are strict and bounded. Parsing and
// appending returns the same bytes, except for the ETag of an entry that another SDK
// wrote (see [StoredETag]). Rejected input returns a [*ParseError] that says which part
// of which format is invalid. A size in the input is checked against its limit before it
// is used.
//
// # Keys
//
// All names for one SDK key derive from k. k is h, the shared-cache key of the official
// SDKs (S90), or NAMESPACE:h if there is a namespace. k is the hash tag of all other
// keys, so all share one cluster slot, and one script can change them together (I3).
// [For] returns all these names.
//
//	k                       the official entry, read by every SDK       [Entry]
//	catbridge:{k}:lock      {leaderID}:{epoch}, expires                 [LockValue]
//	catbridge:{k}:meta      hash: which content is current              [Meta]
//	catbridge:{k}:blob      that content, compressed, and its hash      [Blob]
//	catbridge:{k}:fleet     sorted set, optional reports of followers   [FleetReport]
//	catbridge:{k}:hook:{id} marks an accepted webhook's ID, expires
//	catbridge:{k}:events    channel of [Message]; in database N above 0 it
//	                        is catbridge:{k}:events@N
//
// Redis shares its channels among all databases, so a channel's name contains the database.
// Namespaces separate fleets that share a database and an SDK key. An official SDK reads
// the entry of a namespace if its cache adapter puts NAMESPACE: before the key.
//
// # Rev
//
// Contents are ordered by their rev, the fetch time of the entry in milliseconds since
// the Unix epoch. It always has 13 digits ([MinRev] to [MaxRev]), so a script can
// overwrite it in place.
//
// The package has no state and does no I/O. All functions are safe for concurrent use.
// Numbers such as I3 refer to the invariants in README.md, S90 to docs/sdk-surface.md.
package cachekeys
