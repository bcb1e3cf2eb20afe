package leader

import (
	"fmt"
	"reflect"
	"time"

	"github.com/catbridge/catbridge/internal/cdn"
)

// DataGovernance is where ConfigCat stores a product's data (S10).
type DataGovernance int

const (
	Global DataGovernance = iota // https://cdn-global.configcat.com
	EUOnly                       // https://cdn-eu.configcat.com
)

// SDKKey configures an SDK key to lead for. [New] and [Leader.SetSDKKeys] copy it.
type SDKKey struct {
	// Name identifies the SDK key in logs, in [Stats] and in the URL of its webhook. If it is
	// empty, the masked SDK key is used.
	Name string
	// Key is the SDK key (S3). Required. It is never shown in full (S103).
	Key string
	// BaseURL is the URL from which the config is fetched (S4). If it is empty,
	// DataGovernance selects ConfigCat's CDN.
	BaseURL string
	// DataGovernance must be that of the product at ConfigCat (S10).
	DataGovernance DataGovernance
	// PollInterval is the time between two polls of the CDN. If it is 0, that of [Timings]
	// applies.
	PollInterval time.Duration
	// AllowedHosts are hosts to which the CDN may redirect, in addition to ConfigCat's own.
	AllowedHosts []string
	// AllowPrivate permits redirects to loopback and private addresses.
	AllowPrivate bool
	// WebhookKeys are the signing keys of ConfigCat's webhook, see [Leader.WebhookHandler].
	// A request must be signed with one of them. Several keys allow rotation. They are never
	// shown. If there are none, the webhook is disabled.
	WebhookKeys []string
}

func (k SDKKey) name() string {
	if k.Name != "" {
		return k.Name
	}
	return cdn.Mask(k.Key)
}

// clone returns a copy that shares no memory with k. Clones of equal keys are deeply equal.
func (k SDKKey) clone() SDKKey {
	k.AllowedHosts = append([]string(nil), k.AllowedHosts...)
	k.WebhookKeys = append([]string(nil), k.WebhookKeys...)
	return k
}

// sameFetch reports whether a term may continue with the settings of other.
func (k SDKKey) sameFetch(other SDKKey) bool {
	k.Name, k.WebhookKeys = other.Name, other.WebhookKeys
	return reflect.DeepEqual(k, other)
}

// server identifies the server that is polled, to which a Retry-After applies (S85).
func (k SDKKey) server() string { return fmt.Sprint(k.DataGovernance, " ", k.BaseURL) }
