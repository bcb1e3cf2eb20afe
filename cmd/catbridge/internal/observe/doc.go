// Package observe keeps a [View] of each SDK key of a process for people to look at: the state in
// Redis, the fleet, the config in force and what changed in it, and what was measured over the last
// hours. It writes nothing to Redis.
package observe
