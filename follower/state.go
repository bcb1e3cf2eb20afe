package follower

// CacheState says what a client can evaluate with (S47).
type CacheState int

const (
	// NoFlagData: the client has no config; evaluations return default values.
	NoFlagData CacheState = iota
	// HasLocalOverrideFlagDataOnly: there are local overrides, but no config.
	HasLocalOverrideFlagDataOnly
	// HasCachedFlagDataOnly: there is a config, but the CDN has not confirmed it recently.
	HasCachedFlagDataOnly
	// HasUpToDateFlagData: the CDN confirmed the config within the leader's poll interval plus
	// 15 s, in the modes AutoPoll and Lazy within PollInterval. Never in the mode Manual.
	HasUpToDateFlagData
)

// String returns the constant's name.
func (s CacheState) String() string {
	switch s {
	case NoFlagData:
		return "NoFlagData"
	case HasLocalOverrideFlagDataOnly:
		return "HasLocalOverrideFlagDataOnly"
	case HasCachedFlagDataOnly:
		return "HasCachedFlagDataOnly"
	case HasUpToDateFlagData:
		return "HasUpToDateFlagData"
	}
	return "unknown"
}

// State is the state of a client's connection to Redis.
type State string

const (
	StateConnecting   State = "connecting"   // the first connection is being made
	StateLive         State = "live"         // subscribed, and a leader is alive
	StateNoLeader     State = "no_leader"    // subscribed, but there is no leader
	StatePolling      State = "polling"      // no subscription is possible; the client polls Redis
	StateDisconnected State = "disconnected" // Redis is unreachable; evaluation uses the config in memory
	StateUnsubscribed State = "unsubscribed" // the polling mode does not subscribe, or there is no Redis
	StateClosed       State = "closed"       // [Client.Close] was called
)

// CacheState returns the current cache state (S47).
func (c *Client) CacheState() CacheState {
	switch remote := c.holder.Current(); {
	case remote == nil && c.overrides.exist():
		return HasLocalOverrideFlagDataOnly
	case remote == nil:
		return NoFlagData
	case c.updater.upToDate():
		return HasUpToDateFlagData
	default:
		return HasCachedFlagDataOnly
	}
}
