package leader

// IDs of the leader's own events (attribute event_id). Failed polls have the IDs of
// ConfigCat's SDKs, 1100 to 1106 (S102).
const (
	eventLeading     = 6100 // info: a term started
	eventResigned    = 6101 // info: a term ended
	eventCommitted   = 6102 // info: new content was published
	eventBrokenFlags = 6103 // warn: the content has flags whose evaluation can fail
	eventRedis       = 6104 // error: Redis cannot be reached or written
	eventRedisBack   = 6105 // info: writes succeed again
	eventRegressed   = 6106 // warn: Redis lost or changed the published content
	eventOverwritten = 6107 // warn: entry, blob or meta is missing or was overwritten
	eventAhead       = 6108 // error: the entry is ahead of Redis's clock
	eventSuspect     = 6109 // info: the CDN served content that was replaced recently
	eventListen      = 6110 // warn: subscribing failed
	eventFetch       = 6111 // error: a poll failed with an error that has no ID in ConfigCat's SDKs
	eventStuck       = 6112 // error: the lock has no expiry
	eventHook        = 6113 // info: a webhook requested a poll
	eventHookRefused = 6114 // warn: a webhook was refused
	eventHookFailed  = 6115 // error: forwarding a webhook failed
	eventNoRights    = 6116 // error: the user of Redis lacks rights
	eventRights      = 6117 // info: the user of Redis has all rights now
	eventUncertain   = 6118 // warn: Redis holds different content at a lower rev; the leader waits for the CDN
)
