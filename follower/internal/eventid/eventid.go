// Package eventid contains the ids of the follower's events (S102). docs/events.md is generated
// from these lines.
package eventid

// The events of the official SDKs, with their messages.
const (
	Debug                  = 0    // debug: details, for finding faults
	RefreshFailed          = 1003 // error: Refresh failed in an unexpected way
	PollingFailed          = 1200 // error: polling failed in an unexpected way
	NoOverrideFile         = 1300 // error: the override file does not exist
	OverrideFileUnreadable = 1302 // error: the override file cannot be read
	NoSuchVariation        = 2011 // error: no setting has that variation ID
	CacheRead              = 2200 // error: reading Redis or the Cache failed
	CacheWrite             = 2201 // error: writing the Cache failed
	OverrideFileBad        = 2302 // error: the override file is invalid
	AnotherClient          = 3000 // warn: another client has the same SDK key and Redis client
	Offline                = 3200 // warn: the client is offline, so it does not ask the CDN
	ClosedNoEffect         = 3201 // warn: a method was called on a closed client
	LocalOnly              = 3202 // warn: a method has no effect with LocalOnly
	Switched               = 5200 // info: the client was switched online or offline
)

// This project's own events.
const (
	Live              = 6000 // info: subscribed to changes
	Disconnected      = 6001 // warn: Redis is unreachable
	Polling           = 6002 // error: polling instead of pub/sub
	NoLeader          = 6003 // warn: no leader
	LeaderBack        = 6004 // info: the leader is back
	Applied           = 6005 // debug: a config was put in force
	RefusedContent    = 6006 // warn: content was rejected
	RefusedConfig     = 6007 // error: content is invalid
	Rebase            = 6008 // warn: the rebase rule lowered the rev
	Anomaly           = 6009 // warn: other content at the rev in force
	Lag               = 6010 // warn: announced content cannot be read
	Undelivered       = 6011 // warn: messages do not arrive
	IgnoredMessage    = 6012 // debug: a message was ignored
	HookPanic         = 6013 // error: a hook panicked
	HookSlow          = 6014 // warn: hooks are too slow
	CacheReadRecovery = 6015 // info: reads succeed again
	FileRead          = 6016 // error: the snapshot file is invalid
	FileWrite         = 6017 // error: the snapshot file cannot be written
	FleetDenied       = 6018 // error: reports to the fleet are denied
	FleetFailed       = 6019 // warn: a report to the fleet failed
	FleetRecovery     = 6020 // info: reports to the fleet succeed again
	Waits             = 6021 // info: Redis's config waits because the client fetched another one itself
	Suspect           = 6022 // info: the CDN served a config that was replaced less than 2 minutes ago
	Unbounded         = 6023 // warn: values in Redis are read without a size limit: +getrange is missing
	Controlled        = 6024 // info: an operator's control is in force
	ControlEnded      = 6025 // info: the operator's control is no longer in force
)
