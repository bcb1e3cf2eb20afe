package leader

// IDs of the leader's own events (attribute event_id), with their levels. docs/events.md is
// generated from these lines.
const (
	eventLeading     = 6100 // info: a term started
	eventResigned    = 6101 // info: a term ended
	eventCommitted   = 6102 // info: new content was published
	eventBrokenFlags = 6103 // warn: content has broken flags
	eventRedis       = 6104 // error, warn: Redis cannot be written
	eventRedisBack   = 6105 // info: writes succeed again
	eventRegressed   = 6106 // warn: Redis lost or changed the published content
	eventOverwritten = 6107 // warn: entry, blob or meta is missing or overwritten; once until it is repaired
	eventAhead       = 6108 // error: the entry is ahead of Redis's clock
	eventSuspect     = 6109 // info: recently replaced content was served again
	eventListen      = 6110 // warn: subscribing failed
	eventFetch       = 6111 // error: a poll failed for another reason than 1100 to 1106
	eventStuck       = 6112 // error: the lock has no expiry
	eventHook        = 6113 // info: a webhook requested a poll
	eventHookRefused = 6114 // warn: webhooks are refused; at most one event per minute
	eventHookFailed  = 6115 // error: forwarding a webhook failed
	eventNoRights    = 6116 // error: the user of Redis lacks rights
	eventRights      = 6117 // info: the user has all rights now
	eventUncertain   = 6118 // warn: Redis holds different content at a lower rev; the leader waits for the CDN
	eventHistory     = 6119 // warn: the history could not be extended; the config was published
	eventHistoryBack = 6120 // info: the history is extended again
	eventControl     = 6121 // info: the leader acts on what operators have put in force
	eventControlLost = 6122 // warn: Redis lost the control; the leader wrote it again, or leads without it
	eventSuspended   = 6123 // warn: a control, or part of it, has no effect for now
	eventRepaired    = 6124 // info: what several renewals found missing or overwritten is complete again
)
