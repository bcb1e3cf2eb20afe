package leader

// IDs of the events that are the leader's own (attribute event_id). Those of polls
// that failed are ConfigCat's, 1100 to 1106 (S102).
const (
	eventLeading     = 6100 // info: a term began
	eventResigned    = 6101 // info: a term ended
	eventCommitted   = 6102 // info: new content was published
	eventBrokenFlags = 6103 // warn: the content has flags that cannot be evaluated
	eventRedis       = 6104 // error: Redis cannot be reached or written
	eventRedisBack   = 6105 // info: writes succeed again
	eventRegressed   = 6106 // warn: Redis lost or changed what was written
	eventOverwritten = 6107 // warn: entry or blob are not as they were written
	eventAhead       = 6108 // error: the entry is ahead of Redis's clock
	eventSuspect     = 6109 // info: the CDN served content that was replaced a moment ago
	eventListen      = 6110 // warn: the subscription is not there
	eventFetch       = 6111 // error: a poll failed without an ID of ConfigCat's
	eventStuck       = 6112 // error: the lock has no expiry
	eventHook        = 6113 // info: a webhook asked for a poll
	eventHookRefused = 6114 // warn: a webhook was refused
	eventHookFailed  = 6115 // error: a webhook could not be passed on
	eventNoRights    = 6116 // error: the user of Redis lacks rights
	eventRights      = 6117 // info: the user of Redis has all rights again
	eventUncertain   = 6118 // warn: Redis holds other content than it did, at a lower rev
)
