package cachekeys

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// configSuffix names config JSON v6 in the version of the cache format that all
// current official SDKs share (S90).
const configSuffix = "_config_v6.json_v2"

// CacheKey returns the key under which every official SDK stores the config of
// an SDK key: the lower-case hexadecimal SHA-1 of the SDK key and the name of the
// config file (S90). The SDK key cannot be told from it (I13).
func CacheKey(sdkKey string) string {
	sum := sha1.Sum([]byte(sdkKey + configSuffix))
	return hex.EncodeToString(sum[:])
}

// Keys holds the names of all keys and channels that belong to one SDK key.
// All of them share one cluster slot.
type Keys struct {
	Entry  string // the official entry; its name is the hash tag of the others
	Lock   string // the leader's lock
	Meta   string // hash: which content is current
	Blob   string // the content as followers read it
	Fleet  string // optional reports of followers
	Events string // the channel
}

// Hook is the key by which a webhook's ID is known for a while. Its ID is not checked.
func (k Keys) Hook(id string) string { return strings.TrimSuffix(k.Lock, "lock") + "hook:" + id }

// For returns the names for an SDK key. The SDK key is not checked.
func For(sdkKey string) Keys {
	h := CacheKey(sdkKey)
	tag := "catbridge:{" + h + "}:"
	return Keys{
		Entry:  h,
		Lock:   tag + "lock",
		Meta:   tag + "meta",
		Blob:   tag + "blob",
		Fleet:  tag + "fleet",
		Events: tag + "events",
	}
}
