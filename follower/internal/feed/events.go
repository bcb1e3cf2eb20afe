package feed

// Event ids (S102). The package follower lists all events.
const (
	eventCacheRead         = 2200
	eventLive              = 6000
	eventDisconnected      = 6001
	eventPolling           = 6002
	eventNoLeader          = 6003
	eventLeaderBack        = 6004
	eventApplied           = 6005
	eventRefusedContent    = 6006
	eventRefusedConfig     = 6007
	eventRebase            = 6008
	eventAnomaly           = 6009
	eventLag               = 6010
	eventUndelivered       = 6011
	eventIgnoredMessage    = 6012
	eventCacheReadRecovery = 6015
	eventFleetDenied       = 6018
	eventFleetFailed       = 6019
	eventFleetRecovery     = 6020
	eventWaits             = 6021
	eventUnbounded         = 6023
)
