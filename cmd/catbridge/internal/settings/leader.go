package settings

import (
	"github.com/catbridge/catbridge/leader"
)

// LeaderConfig returns the leader's configuration without the Redis client, the logger and
// the tracer.
func (s *Settings) LeaderConfig() leader.Config {
	return leader.Config{
		Namespace: s.RedisOptions.Namespace(),
		SDKKeys:   s.LeaderKeys(), Timings: s.Timings,
		ProxyURL: s.ProxyURL, CAFile: s.CDN.CAFile, ConnectTimeout: s.ConnectTimeout, HTTPTimeout: s.HTTPTimeout,
		ExpectedFollowers: s.ExpectedFollowers, SubscriberNodes: s.SubscriberNodes, ReadBudget: s.ReadBudget,
		HistoryEntries: noneIfZero(s.History.Entries), HistoryBytes: noneIfZero(s.History.Bytes),
	}
}

// noneIfZero returns the leader's value for a bound of the history: there 0 means the default, and
// a negative number none.
func noneIfZero(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// LeaderKeys returns the SDK keys for a leader.
func (s *Settings) LeaderKeys() []leader.SDKKey {
	keys := make([]leader.SDKKey, len(s.SDKKeys))
	for i := range keys {
		keys[i] = s.SDKKeys[i].forLeader()
	}
	return keys
}

func (k *SDKKey) forLeader() leader.SDKKey {
	governance := leader.Global
	if k.DataGovernance == "eu" {
		governance = leader.EUOnly
	}
	return leader.SDKKey{
		Name: k.Name, Key: k.Key, BaseURL: k.BaseURL, DataGovernance: governance,
		PollInterval: k.PollInterval, AllowedHosts: k.AllowedHosts, AllowPrivate: k.AllowPrivate,
		WebhookKeys: k.WebhookKeys,
	}
}
