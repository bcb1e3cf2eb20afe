// Package metrics tells Prometheus of leaders and followers.
//
//	registry := prometheus.NewRegistry()
//	registry.MustRegister(metrics.NewLeaderCollector(leader))
//
//	followers := metrics.NewFollowerCollector()
//	if err := followers.Add("shop", client); err != nil { … }
//	registry.MustRegister(followers)
//
// The collectors read Stats when they are asked, and keep nothing: they cost nothing in
// between. `catbridge leader` serves the leader's at /metrics.
//
// The label sdk_key has the name of an SDK key, and never the key itself (I13): that of
// leader.SDKKey.Name, or, where there is none, the key's last characters; for a client
// that which is given to [FollowerCollector.Add]. Clients that share a subscription,
// because they are of one SDK key and one Redis client, tell the same of it.
//
// All processes that may lead tell of what they know. What concerns the bridge as a
// whole, the age of the config for instance, is best taken from the one that leads:
//
//	max by (sdk_key) (catbridge_leader_config_age_seconds and catbridge_leader_is_leader == 1)
//
// Alert rules, a scrape configuration and a dashboard lie in deploy/prometheus and
// deploy/grafana.
//
// # Metrics
//
//	catbridge_leader_info (gauge; leader_id)
//		1, with the ID of this leader, which is new for each start and stands in the lock.
//
//	catbridge_leader_unknown_webhooks_total (counter)
//		Requests to a webhook that there is not: no SDK key has that name, or it has no
//		signing key.
//
//	catbridge_leader_is_leader (gauge; sdk_key)
//		1 if this process leads for the SDK key.
//
//	catbridge_leader_state (gauge; sdk_key, state)
//		1 for the state that this process is in: candidate, warm (it leads, and the CDN has
//		not answered it yet), steady (it leads), stopped.
//
//	catbridge_leader_epoch (gauge; sdk_key)
//		Number of the term last known, whoever leads; it rises with each.
//
//	catbridge_leader_term_start_timestamp_seconds (gauge; sdk_key)
//		When the last term of this process began; missing if it had none.
//
//	catbridge_leader_terms_total (counter; sdk_key)
//		Terms that this process began.
//
//	catbridge_leader_fenced_total (counter; sdk_key)
//		Terms that ended because a write was refused: another leads.
//
//	catbridge_leader_lapsed_total (counter; sdk_key)
//		Terms that ended because no renewal came through to Redis in time.
//
//	catbridge_leader_rev (gauge; sdk_key)
//		Rev of the current config, in Unix milliseconds, as this process last wrote or saw
//		it; 0: there is none.
//
//	catbridge_leader_config_bytes (gauge; sdk_key)
//		Size of the current config JSON; 0: there is none.
//
//	catbridge_leader_cdn_last_answer_timestamp_seconds (gauge; sdk_key)
//		When the CDN last answered any leader, by Redis's clock; missing if it never did.
//
//	catbridge_leader_config_age_seconds (gauge; sdk_key)
//		Time since the CDN last answered any leader, by Redis's clock; missing if it never
//		did.
//
//	catbridge_leader_poll_interval_seconds (gauge; sdk_key)
//		Time between two polls of the CDN, as it is configured.
//
//	catbridge_leader_cdn_held_until_timestamp_seconds (gauge; sdk_key)
//		Until when the CDN asked this process not to poll, by its own clock; missing if it
//		did not.
//
//	catbridge_leader_refreshes_total (counter; sdk_key)
//		Times that this process, leading, was asked to poll, by a webhook or otherwise; many
//		at once count as one.
//
//	catbridge_leader_polls_total (counter; sdk_key, outcome)
//		Polls of the CDN by this process that ended, by outcome: config (it sent one),
//		not_modified, error.
//
//	catbridge_leader_suspect_answers_total (counter; sdk_key)
//		Answers of the CDN with a config that had been replaced a moment before: an edge
//		that lags, or a roll-back.
//
//	catbridge_leader_waits (gauge; sdk_key)
//		1 if this process leads and waits for the CDN, because Redis holds an older config
//		than it did.
//
//	catbridge_leader_poll_failing (gauge; sdk_key)
//		1 if this process leads and its last poll of the CDN failed.
//
//	catbridge_leader_fetch_duration_seconds (histogram; sdk_key)
//		How long fetches from the CDN took, those that failed included.
//
//	catbridge_leader_commits_total (counter; sdk_key)
//		Configs that this process wrote to Redis, heals included.
//
//	catbridge_leader_repairs_total (counter; sdk_key)
//		Times that a config had to be written again because Redis lost it or somebody
//		changed it.
//
//	catbridge_leader_renewals_total (counter; sdk_key)
//		Renewals of the lock, which are the heartbeats.
//
//	catbridge_leader_redis_failing (gauge; sdk_key)
//		1 if Redis did not answer this process last, or refused what it asked for.
//
//	catbridge_leader_redis_missing_rights (gauge; sdk_key)
//		Rules that the ACL user lacks in Redis; the log and /status name them.
//
//	catbridge_leader_redis_last_contact_timestamp_seconds (gauge; sdk_key)
//		When Redis last answered this process, by its own clock; missing if it never did.
//
//	catbridge_leader_redis_clock_offset_seconds (gauge; sdk_key)
//		How far Redis's clock is ahead of this machine's.
//
//	catbridge_leader_entry_ahead_seconds (gauge; sdk_key)
//		How far the fetch time in the shared entry is ahead of Redis's clock; above 300 some
//		clock is wrong.
//
//	catbridge_leader_receivers (gauge; sdk_key)
//		Subscribers that the last message of this process reached, on one Redis node.
//
//	catbridge_leader_broken_flags (gauge; sdk_key)
//		Flags of the config last written by this process with an error in their model: they
//		always evaluate to the default.
//
//	catbridge_leader_webhooks_total (counter; sdk_key, outcome)
//		Webhooks that this process got, by outcome: accepted, malformed, too_large, stale
//		(its time is off), forged (no signature fits), replayed (answered without a further
//		poll), failed (Redis could not be asked).
//
//	catbridge_leader_bad_messages_total (counter; sdk_key)
//		Messages on the channel that could not be read.
//
//	catbridge_follower_state (gauge; sdk_key, state)
//		1 for the state of the connection to Redis: connecting, live, noLeader (connected,
//		but no leader is heard), polling (no subscription is possible), disconnected,
//		unsubscribed (there is to be none), closed.
//
//	catbridge_follower_rev (gauge; sdk_key)
//		Rev of the config in force, in Unix milliseconds, to compare with
//		catbridge_leader_rev; 0: there is none.
//
//	catbridge_follower_source (gauge; sdk_key, source)
//		1 for where the config in force was taken from: blob, message or entry in Redis,
//		cache, cdn, file.
//
//	catbridge_follower_config_age_seconds (gauge; sdk_key)
//		Time since the CDN last confirmed the config in force, as far as leaders told;
//		missing if nothing was told.
//
//	catbridge_follower_poll_interval_seconds (gauge; sdk_key)
//		Time between two polls of the CDN, as the leader told it.
//
//	catbridge_follower_epoch (gauge; sdk_key)
//		Number of the term of the leader that was last heard of.
//
//	catbridge_follower_publish_to_apply_seconds (histogram; sdk_key)
//		Time from when the leader asked the CDN for a config until it replaced the one
//		before here. The beginning is told by Redis's clock: where this machine's differs it
//		is wrong, by at most the time between two messages.
//
//	catbridge_follower_apply_duration_seconds (histogram; sdk_key)
//		Time from when a message told of a newer config until such was in force here, the
//		wait within the spread window included. It is exact.
//
//	catbridge_follower_connects_total (counter; sdk_key)
//		Subscriptions that Redis acknowledged.
//
//	catbridge_follower_disconnects_total (counter; sdk_key)
//		Subscriptions that ended without having been closed here.
//
//	catbridge_follower_failed_subscriptions_total (counter; sdk_key)
//		Subscriptions that Redis refused, or that could not be had though it answered.
//
//	catbridge_follower_undelivered_total (counter; sdk_key)
//		Connections given up because a leader was alive, but its messages did not arrive.
//
//	catbridge_follower_messages_total (counter; sdk_key, type)
//		Messages received, by type: change, heartbeat, resign, refresh, unknown (of another
//		version), bad (malformed, or with content that does not fit its hash).
//
//	catbridge_follower_dropped_messages_total (counter; sdk_key)
//		Messages not looked at because too many came at once; what they told is read
//		instead.
//
//	catbridge_follower_resyncs_total (counter; sdk_key)
//		Times that Redis was asked which config is current because messages may have been
//		missed.
//
//	catbridge_follower_reads_total (counter; sdk_key, kind)
//		Reads from Redis, by kind: content, head (which content is current), entry (the one
//		that official SDKs share).
//
//	catbridge_follower_failed_reads_total (counter; sdk_key)
//		Reads from Redis that failed.
//
//	catbridge_follower_lagging_reads_total (counter; sdk_key)
//		Reads that gave older content than what had been announced: a replica that is
//		behind.
//
//	catbridge_follower_applied_total (counter; sdk_key)
//		Configs from Redis put in force.
//
//	catbridge_follower_applied_inline_total (counter; sdk_key)
//		Configs put in force that a message carried, so that nothing had to be read.
//
//	catbridge_follower_refused_total (counter; sdk_key, what)
//		Content refused, so that what was held stayed: blob (the bridge's copy is damaged),
//		entry (the official one is), config (it is none).
//
//	catbridge_follower_anomalies_total (counter; sdk_key)
//		Times that other content was named at the rev that is held, which no leader writes.
//
//	catbridge_follower_hold_downs_total (counter; sdk_key)
//		Times that a lower rev with other content was named, and not followed unless the
//		evidence of rule 6 came together.
//
//	catbridge_follower_rebases_total (counter; sdk_key)
//		Times that the rev was lowered by rule 6: Redis lost its data, and its clock is
//		behind.
//
//	catbridge_follower_evaluation_errors_total (counter; sdk_key, reason)
//		Evaluations that gave the default because they failed, by reason: no_config,
//		no_such_key, wrong_type (of the default), broken_flag, other.
//
//	catbridge_follower_cdn_fetches_total (counter; sdk_key)
//		Times that the client asked the CDN itself.
//
//	catbridge_follower_failed_cdn_fetches_total (counter; sdk_key)
//		Among them those without a usable answer.
//
//	catbridge_follower_suspect_cdn_fetches_total (counter; sdk_key)
//		Among them those with a config that was held and replaced within the last 2 minutes,
//		so that the CDN was asked again.
//
//	catbridge_follower_waits_total (counter; sdk_key)
//		Times that another config in Redis had to wait for one that the client fetched
//		itself, until the CDN was known to have answered about it later.
//
//	catbridge_follower_reports_total (counter; sdk_key)
//		Reports to the fleet.
//
//	catbridge_follower_failed_reports_total (counter; sdk_key)
//		Among them those that Redis did not take.
//
//	catbridge_follower_dropped_hooks_total (counter; sdk_key)
//		Changes and errors that hooks were not told of because they were too slow.
//
//	catbridge_follower_dropped_evaluation_hooks_total (counter; sdk_key)
//		Evaluations that OnFlagEvaluated hooks were not told of because they were too slow.
//
//	catbridge_follower_hook_panics_total (counter; sdk_key)
//		Hooks that panicked or ended their goroutine.
package metrics
