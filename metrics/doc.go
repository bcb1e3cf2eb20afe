// Package metrics exports the statistics of leaders and followers to Prometheus.
//
//	registry := prometheus.NewRegistry()
//	registry.MustRegister(metrics.NewLeaderCollector(leader))
//
//	followers := metrics.NewFollowerCollector()
//	if err := followers.Add("shop", client); err != nil { … }
//	registry.MustRegister(followers)
//
// The collectors call Stats when they are scraped and store nothing: they cost nothing
// in between. `catbridge leader` serves the leader's metrics at /metrics.
//
// A process that reads its settings again while it runs exports with a [ReloadCollector] whether they
// are in effect.
//
// The label sdk_key is the name of an SDK key, never the key itself (I13). For a leader
// it is leader.SDKKey.Name, or the key's last characters if there is no name. For a client
// it is the name passed to [FollowerCollector.Add]. Clients with the same SDK key and the
// same Redis client share a subscription, and report the same values for it.
//
// Every process that may lead exports its own view. For values of the whole bridge, for
// instance the age of the config, use those of the leading process:
//
//	max by (sdk_key) (catbridge_leader_config_age_seconds and catbridge_leader_is_leader == 1)
//
// docs/metrics.md lists all metrics. Alert rules, a scrape configuration and a dashboard are
// in deploy/prometheus and deploy/grafana.
package metrics
