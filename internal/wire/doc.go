// Package wire defines the formats on Redis that only leaders and followers read: the bytes of
// what is stored under the keys of package cachekeys and published on the channel.
//
//	lock    {leaderID}:{epoch}, expires                     [LockValue]
//	meta    hash: which content is current                  [Meta]
//	blob    that content, compressed, and its hash          [Blob]
//	patches how that content differs from earlier content  [Patches]
//	history stream, the changes of the content              [HistoryEntry]
//	source  the CDN's content, while other is current       [Source]
//	fleet   sorted set, optional reports of followers       [FleetReport]
//	events  channel                                         [Message]
//
// All parsers are strict and bounded. Parsing and appending returns the same bytes. Rejected input
// returns a [*ParseError]. A size in the input is checked against its limit before it is used.
//
// # Rev
//
// Contents are ordered by their rev, the fetch time of the entry in milliseconds since
// the Unix epoch. It always has 13 digits ([MinRev] to [MaxRev]), so a script can
// overwrite it in place.
//
// The package has no state and does no I/O. All functions are safe for concurrent use.
// Numbers such as I3 refer to the guarantees in docs/guarantees.md, S90 to docs/sdk-surface.md.
package wire
