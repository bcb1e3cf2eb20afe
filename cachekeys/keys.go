package cachekeys

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// configSuffix is the config file's name and the cache format's version in all current official
// SDKs (S90).
const configSuffix = "_config_v6.json_v2"

// Key returns the key under which every official SDK stores the config of an SDK key: the
// lower-case hexadecimal SHA-1 of the concatenated SDK key and config file name (S90). It does
// not reveal the SDK key (I13).
func Key(sdkKey string) string {
	sum := sha1.Sum([]byte(sdkKey + configSuffix))
	return hex.EncodeToString(sum[:])
}

// Keys contains the names of all keys and channels that belong to one SDK key in one namespace
// of one database. It is comparable.
type Keys struct {
	Entry   string // the official entry
	Lock    string // the leader's lock
	Meta    string // hash: which content is current
	Blob    string // the content as followers read it
	Patches string // how the content differs from earlier content
	History string // the changes of the content
	Control string // what operators put in force instead of the CDN's content
	Pinned  string // the content that they pinned
	Source  string // the CDN's content while something is in force
	Fleet   string // optional reports of followers
	Events  string // the channel

	scope string
}

// For returns the names for an SDK key, a namespace and a database of Redis. If namespace is
// empty, there is none. Fleets that differ in any of the three share no keys and no channel. The
// arguments are not checked: see [CheckNamespace].
func For(sdkKey, namespace string, db int) Keys {
	k := Key(sdkKey)
	if namespace != "" {
		k = namespace + ":" + k
	}
	at := ""
	if db > 0 {
		at = "@" + strconv.Itoa(db)
	}
	tag := "catbridge:{" + k + "}:"
	return Keys{
		Entry:   k,
		Lock:    tag + "lock",
		Meta:    tag + "meta",
		Blob:    tag + "blob",
		Patches: tag + "patches",
		History: tag + "history",
		Control: tag + "control",
		Pinned:  tag + "pinned",
		Source:  tag + "source",
		Fleet:   tag + "fleet",
		Events:  tag + "events" + at,
		scope:   k + at,
	}
}

// Hook returns the key that marks the ID of an accepted webhook. It does not check the ID.
func (k Keys) Hook(id string) string { return strings.TrimSuffix(k.Lock, "lock") + "hook:" + id }

// Scope identifies the SDK key, the namespace and the database outside Redis, for example in a
// file's name. It is Entry in database 0, and Entry followed by @N in database N.
func (k Keys) Scope() string { return k.scope }

// MaxNamespaceBytes is the greatest length of a namespace.
const MaxNamespaceBytes = 32

// CheckNamespace accepts 1 to 32 ASCII letters, digits, dots, underscores and hyphens, or an empty
// namespace, which means none.
func CheckNamespace(namespace string) error {
	if len(namespace) > MaxNamespaceBytes || strings.ContainsFunc(namespace, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	}) {
		return fmt.Errorf("%.64q is not a namespace: write 1 to %d of A-Z, a-z, 0-9, dot, underscore and hyphen", namespace, MaxNamespaceBytes)
	}
	return nil
}
