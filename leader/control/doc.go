// Package control lets operators put something in force against the CDN: a pinned config, and flags
// that are forced to a value. Each has an end, a reason, and the name of who ordered it. It works
// while ConfigCat's dashboard or CDN is unavailable, and for followers and official SDKs that read
// the entry, without anything new on their side.
//
// [Read] returns what is in force. The methods of [Controls] compute what a change would make of
// the config, without writing anything; [Change.Apply] writes it to Redis, unless another operator
// has changed something meanwhile. The leader acts on it at once: it commits the config that
// results, as it commits the CDN's. [Change.Await] waits for that. Without a leader the next one
// acts on it.
//
// A forced flag serves one value to all users: its rules and percentage options do not count. While
// something is in force, the leader goes on polling the CDN, and keeps the CDN's config apart: at
// the end of the last pin and force it makes that config current, without another fetch. A pin or
// a force ends at its time by Redis's clock, or when it is withdrawn.
//
// A user of Redis needs +get, +getrange, +hmget and +time to read, and in addition +evalsha, +eval,
// +set, +del, +publish and access to the keys control, pinned and meta to write: see deploy/acl.
package control
