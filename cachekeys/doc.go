// Package cachekeys is the contract of the bridge on Redis: the names of keys
// and channels, and the bytes of everything that is stored or published.
//
// Leaders write these formats and followers read them; the official ConfigCat
// SDKs read and write one of them, the [Entry]. All parsers are strict and
// bounded: what they accept is written back to the same bytes (but for the ETag of
// a foreign entry, see [StoredETag]), what they refuse comes as a [*ParseError]
// that says which part of which format was wrong, and no size is believed before
// it was compared with its limit.
//
// # Keys
//
// Everything that belongs to one SDK key hangs on k, which is h, the shared-cache key of
// the official SDKs (S90), or NAMESPACE:h where there is a namespace. k is the hash tag of
// all other keys, so that they live in one cluster slot and one script can change them
// together (I3). [For] makes all these names.
//
//	k                       the official entry, read by every SDK       [Entry]
//	catbridge:{k}:lock      {leaderID}:{epoch}, expires                 [LockValue]
//	catbridge:{k}:meta      hash: which content is current              [Meta]
//	catbridge:{k}:blob      the same content, compressed, with its hash [Blob]
//	catbridge:{k}:fleet     sorted set, optional reports of followers   [FleetReport]
//	catbridge:{k}:hook:{id} ID of a webhook that was accepted, expires
//	catbridge:{k}:events    channel of [Message]; in database N above 0 it
//	                        is catbridge:{k}:events@N
//
// A channel of Redis belongs to all of its databases, so its name says which one is meant.
// Namespaces keep fleets apart that share a database and an SDK key. An official SDK reads
// the entry of a namespace if its cache adapter puts NAMESPACE: before the key.
//
// # Rev
//
// A rev orders contents: it is the fetch time of the entry in milliseconds since
// the Unix epoch, always 13 digits long ([MinRev] to [MaxRev]), so that it can be
// rewritten in place.
//
// The package has no state and does no I/O. All functions are safe for concurrent use.
package cachekeys
