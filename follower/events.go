package follower

// Event ids, with their levels (S102). Those below 6000 have the messages of the official SDKs;
// the others are this project's own. docs/events.md is generated from these lines.
const (
	eventDebug                  = 0    // debug: details, for finding faults
	eventRefreshFailed          = 1003 // error: Refresh failed in an unexpected way
	eventPollingFailed          = 1200 // error: polling failed in an unexpected way
	eventNoOverrideFile         = 1300 // error: the override file does not exist
	eventOverrideFileUnreadable = 1302 // error: the override file cannot be read
	eventNoSuchVariation        = 2011 // error: no setting has that variation ID
	eventCacheRead              = 2200 // error: reading Redis or the Cache failed
	eventCacheWrite             = 2201 // error: writing the Cache failed
	eventOverrideFileBad        = 2302 // error: the override file is invalid
	eventAnotherClient          = 3000 // warn: another client has the same SDK key and Redis client
	eventOffline                = 3200 // warn: the client is offline, so it does not ask the CDN
	eventClosedNoEffect         = 3201 // warn: a method was called on a closed client
	eventLocalOnly              = 3202 // warn: a method has no effect with LocalOnly
	eventSwitched               = 5200 // info: the client was switched online or offline
	eventLive                   = 6000 // info: subscribed to changes
	eventDisconnected           = 6001 // warn: Redis is unreachable
	eventPolling                = 6002 // error: polling instead of pub/sub
	eventNoLeader               = 6003 // warn: no leader
	eventLeaderBack             = 6004 // info: the leader is back
	eventApplied                = 6005 // debug: a config was put in force
	eventRefusedContent         = 6006 // warn: content was rejected
	eventRefusedConfig          = 6007 // error: content is invalid
	eventRebase                 = 6008 // warn: the rebase rule lowered the rev
	eventAnomaly                = 6009 // warn: other content at the rev in force
	eventLag                    = 6010 // warn: announced content cannot be read
	eventUndelivered            = 6011 // warn: messages do not arrive
	eventIgnoredMessage         = 6012 // debug: a message was ignored
	eventHookPanic              = 6013 // error: a hook panicked
	eventHookSlow               = 6014 // warn: hooks are too slow
	eventCacheReadRecovery      = 6015 // info: reads succeed again
	eventFileRead               = 6016 // error: the snapshot file is invalid
	eventFileWrite              = 6017 // error: the snapshot file cannot be written
	eventFleetDenied            = 6018 // error: reports to the fleet are denied
	eventFleetFailed            = 6019 // warn: a report to the fleet failed
	eventFleetRecovery          = 6020 // info: reports to the fleet succeed again
	eventWaits                  = 6021 // info: Redis's config waits because the client fetched another one itself
	eventSuspect                = 6022 // info: the CDN served a config that was replaced less than 2 minutes ago
	eventUnbounded              = 6023 // warn: values in Redis are read without a size limit: +getrange is missing
)
