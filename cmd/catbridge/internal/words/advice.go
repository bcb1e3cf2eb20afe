package words

import (
	"strconv"
	"strings"
)

// Advice of catbridge doctor that the dashboard gives, too.
const (
	AdviceOnRights  = "grant them with ACL SETUSER, see deploy/acl"
	AdviceOnNetwork = "check DNS, firewall and proxy between this host and the CDN"
	AdviceOnCDN     = AdviceOnNetwork + ", and base_url if it is set"
	AdviceOnSDKKey  = "compare the SDK key with the dashboard; it may be revoked, or belong to another data_governance"
	AdviceOnAnswer  = "check base_url, allowed_hosts and allow_private, and whether a proxy answers instead of the CDN"
	AdviceOnBroken  = "see the leader's log, and the ConfigCat dashboard"
	AdviceOnLaggard = "see the follower's log"
)

// MissingRights says that the user of Redis lacks rights of a role.
func MissingRights(role string, rules []string, leads bool) string {
	if leads {
		role += ", which leads without a history"
	}
	return "the user lacks rights of a " + role + ": " + strings.Join(rules, " ")
}

// BrokenFlags says how many flags of a config have errors.
func BrokenFlags(n int) string {
	return strconv.Itoa(n) + " flags of the config have errors: followers return their default values"
}
