package follower

// Event ids (S102). Those below 6000 have the messages of the official SDKs; the others are
// this project's own, see the table in the package documentation.
const (
	eventDebug                  = 0
	eventRefreshFailed          = 1003
	eventPollingFailed          = 1200
	eventNoOverrideFile         = 1300
	eventOverrideFileUnreadable = 1302
	eventNoSuchVariation        = 2011
	eventCacheRead              = 2200
	eventCacheWrite             = 2201
	eventOverrideFileBad        = 2302
	eventAnotherClient          = 3000
	eventOffline                = 3200
	eventClosedNoEffect         = 3201
	eventLocalOnly              = 3202
	eventSwitched               = 5200
	eventLive                   = 6000
	eventDisconnected           = 6001
	eventPolling                = 6002
	eventNoLeader               = 6003
	eventLeaderBack             = 6004
	eventApplied                = 6005
	eventRefusedContent         = 6006
	eventRefusedConfig          = 6007
	eventRebase                 = 6008
	eventAnomaly                = 6009
	eventLag                    = 6010
	eventUndelivered            = 6011
	eventIgnoredMessage         = 6012
	eventHookPanic              = 6013
	eventHookSlow               = 6014
	eventCacheReadRecovery      = 6015
	eventFileRead               = 6016
	eventFileWrite              = 6017
	eventFleetDenied            = 6018
	eventFleetFailed            = 6019
	eventFleetRecovery          = 6020
	eventWaits                  = 6021
	eventSuspect                = 6022
	eventUnbounded              = 6023
)
