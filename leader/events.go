package leader

// IDs of the leader's own events (attribute event_id); doc.go says what each means.
const (
	eventLeading     = 6100
	eventResigned    = 6101
	eventCommitted   = 6102
	eventBrokenFlags = 6103
	eventRedis       = 6104
	eventRedisBack   = 6105
	eventRegressed   = 6106
	eventOverwritten = 6107
	eventAhead       = 6108
	eventSuspect     = 6109
	eventListen      = 6110
	eventFetch       = 6111
	eventStuck       = 6112
	eventHook        = 6113
	eventHookRefused = 6114
	eventHookFailed  = 6115
	eventNoRights    = 6116
	eventRights      = 6117
	eventUncertain   = 6118
)
