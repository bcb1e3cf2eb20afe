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
// Alert rules, a scrape configuration and a dashboard are in deploy/prometheus and
// deploy/grafana.
//
// # Metrics
//
//	catbridge_leader_info (gauge; leader_id)
//		1, with the ID of this leader, which is new at each start and part of the value of
//		its lock.
//
//	catbridge_leader_unknown_webhooks_total (counter)
//		Requests to an unknown webhook: no SDK key has that name, or it has no signing key.
//
//	catbridge_leader_is_leader (gauge; sdk_key)
//		1 if this process leads for the SDK key.
//
//	catbridge_leader_state (gauge; sdk_key, state)
//		1 for the state of this process: candidate, warm (it leads, but the CDN has not
//		answered it yet), steady (it leads), stopped.
//
//	catbridge_leader_epoch (gauge; sdk_key)
//		Number of the last known term, of any process. It rises with each term.
//
//	catbridge_leader_term_start_timestamp_seconds (gauge; sdk_key)
//		Time at which the last term of this process started; missing if it had none.
//
//	catbridge_leader_terms_total (counter; sdk_key)
//		Terms that this process started.
//
//	catbridge_leader_fenced_total (counter; sdk_key)
//		Terms that ended because Redis refused a write: another process leads.
//
//	catbridge_leader_lapsed_total (counter; sdk_key)
//		Terms that ended because Redis confirmed no renewal in time.
//
//	catbridge_leader_rev (gauge; sdk_key)
//		Rev of the current config, in Unix milliseconds, as this process last wrote or read
//		it; 0: no config.
//
//	catbridge_leader_config_bytes (gauge; sdk_key)
//		Size of the current config JSON; 0: no config.
//
//	catbridge_leader_cdn_last_answer_timestamp_seconds (gauge; sdk_key)
//		Time at which the CDN last answered any leader, by Redis's clock; missing if it
//		never did.
//
//	catbridge_leader_config_age_seconds (gauge; sdk_key)
//		Time since the CDN last answered any leader, by Redis's clock; missing if it never
//		did.
//
//	catbridge_leader_poll_interval_seconds (gauge; sdk_key)
//		Configured time between two polls of the CDN.
//
//	catbridge_leader_cdn_held_until_timestamp_seconds (gauge; sdk_key)
//		Time until which the CDN asks this process not to poll, by the process's clock;
//		missing if it does not.
//
//	catbridge_leader_refreshes_total (counter; sdk_key)
//		Requests to this process, while it leads, to poll at once, by a webhook or
//		otherwise. Simultaneous ones count as one.
//
//	catbridge_leader_polls_total (counter; sdk_key, outcome)
//		Finished polls of the CDN by this process, by outcome: config (the CDN sent one),
//		not_modified, error.
//
//	catbridge_leader_suspect_answers_total (counter; sdk_key)
//		Answers of the CDN with a config that had just been replaced: a lagging edge, or a
//		roll-back.
//
//	catbridge_leader_waits (gauge; sdk_key)
//		1 if this process leads and waits for the CDN to confirm the current config, because
//		Redis has an older config than before.
//
//	catbridge_leader_poll_failing (gauge; sdk_key)
//		1 if this process leads and its last poll of the CDN failed.
//
//	catbridge_leader_fetch_duration_seconds (histogram; sdk_key)
//		Duration of fetches from the CDN, including failed ones.
//
//	catbridge_leader_commits_total (counter; sdk_key)
//		Configs that this process wrote to Redis, including repairs.
//
//	catbridge_leader_repairs_total (counter; sdk_key)
//		Configs written again because Redis lost them or another client overwrote them.
//
//	catbridge_leader_renewals_total (counter; sdk_key)
//		Renewals of the lock. Each is also a heartbeat.
//
//	catbridge_leader_redis_failing (gauge; sdk_key)
//		1 if Redis did not answer the last command of this process, or refused it.
//
//	catbridge_leader_redis_missing_rights (gauge; sdk_key)
//		ACL rules that the Redis user lacks. The log and /status list them.
//
//	catbridge_leader_redis_last_contact_timestamp_seconds (gauge; sdk_key)
//		Time at which Redis last answered this process, by the process's clock; missing if
//		it never did.
//
//	catbridge_leader_redis_clock_offset_seconds (gauge; sdk_key)
//		Time by which Redis's clock is ahead of this machine's.
//
//	catbridge_leader_entry_ahead_seconds (gauge; sdk_key)
//		Time by which the fetch time in the shared entry is ahead of Redis's clock; above
//		300, a clock is wrong.
//
//	catbridge_leader_receivers (gauge; sdk_key)
//		Subscribers that received the last message of this process, on one Redis node.
//
//	catbridge_leader_broken_flags (gauge; sdk_key)
//		Flags with an error in the config that this process last wrote: they can return
//		their defaults.
//
//	catbridge_leader_webhooks_total (counter; sdk_key, outcome)
//		Webhooks that this process received, by outcome: accepted, malformed, too_large,
//		stale (wrong time), forged (no valid signature), replayed (answered without another
//		poll), failed (Redis was unavailable).
//
//	catbridge_leader_bad_messages_total (counter; sdk_key)
//		Invalid messages on the channel.
//
//	catbridge_follower_state (gauge; sdk_key, state)
//		1 for the state of the connection to Redis: connecting, live, noLeader (connected,
//		but no leader sends heartbeats), polling (no subscription is possible),
//		disconnected, unsubscribed (none is configured), closed.
//
//	catbridge_follower_rev (gauge; sdk_key)
//		Rev of the config in force, in Unix milliseconds, to compare with
//		catbridge_leader_rev; 0: no config.
//
//	catbridge_follower_source (gauge; sdk_key, source)
//		1 for the source of the config in force: blob, message or entry in Redis, cache,
//		cdn, file.
//
//	catbridge_follower_config_age_seconds (gauge; sdk_key)
//		Time since the CDN last confirmed the config in force, as reported by leaders;
//		missing if unknown.
//
//	catbridge_follower_poll_interval_seconds (gauge; sdk_key)
//		Time between two polls of the CDN, as reported by the leader.
//
//	catbridge_follower_epoch (gauge; sdk_key)
//		Number of the last known term of a leader.
//
//	catbridge_follower_publish_to_apply_seconds (histogram; sdk_key)
//		Time from the leader's request to the CDN for a config until the client put it in
//		force. The start is by Redis's clock: if this machine's clock differs, the value is
//		wrong by at most the time between two messages.
//
//	catbridge_follower_apply_duration_seconds (histogram; sdk_key)
//		Time from the first message about a newer config until the client put it in force,
//		including the wait in the spread window. It is exact.
//
//	catbridge_follower_connects_total (counter; sdk_key)
//		Subscriptions that Redis acknowledged.
//
//	catbridge_follower_disconnects_total (counter; sdk_key)
//		Subscriptions that ended without being closed by the client.
//
//	catbridge_follower_failed_subscriptions_total (counter; sdk_key)
//		Subscriptions that Redis refused, or that failed although Redis answered.
//
//	catbridge_follower_undelivered_total (counter; sdk_key)
//		Connections closed because a leader was alive, but its messages did not arrive.
//
//	catbridge_follower_messages_total (counter; sdk_key, type)
//		Received messages, by type: change, heartbeat, resign, refresh, unknown (of another
//		version), bad (malformed, or with content that does not match its hash).
//
//	catbridge_follower_dropped_messages_total (counter; sdk_key)
//		Messages dropped because too many arrived at once. The client reads from Redis
//		instead.
//
//	catbridge_follower_resyncs_total (counter; sdk_key)
//		Times that the client asked Redis which config is current because it may have missed
//		messages.
//
//	catbridge_follower_reads_total (counter; sdk_key, kind)
//		Reads from Redis, by kind: content, head (which content is current), entry (the one
//		that official SDKs share).
//
//	catbridge_follower_failed_reads_total (counter; sdk_key)
//		Reads from Redis that failed.
//
//	catbridge_follower_lagging_reads_total (counter; sdk_key)
//		Reads that returned older content than announced: a lagging replica.
//
//	catbridge_follower_applied_total (counter; sdk_key)
//		Configs from Redis put in force.
//
//	catbridge_follower_applied_inline_total (counter; sdk_key)
//		Configs put in force directly from a message, without a read.
//
//	catbridge_follower_refused_total (counter; sdk_key, what)
//		Rejected content; the previous config stays in force. By kind: blob (the bridge's
//		copy is corrupt), entry (the official entry is corrupt), config (not a valid
//		config).
//
//	catbridge_follower_anomalies_total (counter; sdk_key)
//		Times that other content was announced with the current rev, which no leader does.
//
//	catbridge_follower_hold_downs_total (counter; sdk_key)
//		Times that other content with a lower rev was announced, which only the rebase rule
//		accepts.
//
//	catbridge_follower_rebases_total (counter; sdk_key)
//		Times that the rebase rule accepted a lower rev: Redis lost its data, and its clock
//		is behind.
//
//	catbridge_follower_evaluation_errors_total (counter; sdk_key, reason)
//		Failed evaluations, which return the default, by reason: no_config, no_such_key,
//		wrong_type (of the default), broken_flag, other.
//
//	catbridge_follower_cdn_fetches_total (counter; sdk_key)
//		Fetches from the CDN by the client itself.
//
//	catbridge_follower_failed_cdn_fetches_total (counter; sdk_key)
//		Fetches from the CDN by the client without a usable answer.
//
//	catbridge_follower_suspect_cdn_fetches_total (counter; sdk_key)
//		Fetches from the CDN by the client that returned a config replaced within the last 2
//		minutes, so the client fetched again.
//
//	catbridge_follower_waits_total (counter; sdk_key)
//		Times that another config in Redis had to wait, because the client had fetched one
//		itself, until the CDN was known to have confirmed it later.
//
//	catbridge_follower_reports_total (counter; sdk_key)
//		Reports to the fleet.
//
//	catbridge_follower_failed_reports_total (counter; sdk_key)
//		Reports to the fleet that Redis did not accept.
//
//	catbridge_follower_dropped_hooks_total (counter; sdk_key)
//		Changes and errors that hooks did not receive because they were too slow.
//
//	catbridge_follower_dropped_evaluation_hooks_total (counter; sdk_key)
//		Evaluations that OnFlagEvaluated hooks did not receive because they were too slow.
//
//	catbridge_follower_hook_panics_total (counter; sdk_key)
//		Hooks that panicked or ended their goroutine.
package metrics
