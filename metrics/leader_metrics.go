package metrics

import (
	"time"

	"github.com/catbridge/catbridge/internal/histogram"
	"github.com/catbridge/catbridge/leader"
)

type keyStats = leader.KeyStats

type events = part[keyStats, uint64]

func leads(k *keyStats) bool { return k.State == leader.StateWarm || k.State == leader.StateSteady }

// processFamily has the metrics of the whole leader.
var processFamily = newFamily(nil, []metric[leader.Stats]{
	{
		name: "catbridge_leader_info", kind: gauge, label: "leader_id",
		help: "1, with the ID of this leader, which is new at each start and part of the value of its lock.",
		read: func(s *leader.Stats, _ time.Time, emit func(float64, string)) { emit(1, s.ID) },
	},
	{
		name: "catbridge_leader_unknown_webhooks_total", kind: counter,
		help: "Requests to an unknown webhook: no SDK key has that name, or it has no signing key.",
		read: value(func(s *leader.Stats) uint64 { return s.UnknownWebhooks }),
	},
})

// leaderFamily has the metrics of each SDK key.
var leaderFamily = newFamily([]string{nameLabel}, []metric[keyStats]{
	{
		name: "catbridge_leader_is_leader", kind: gauge,
		help: "1 if this process leads for the SDK key.",
		read: either(leads),
	},
	{
		name: "catbridge_leader_state", kind: gauge, label: "state",
		help: "1 for the state of this process: candidate, warm (it leads, but the CDN has not answered it yet), steady (it leads), stopped.",
		read: oneOf(func(k *keyStats) leader.State { return k.State }, leader.StateCandidate, leader.StateWarm, leader.StateSteady, leader.StateStopped),
	},
	{
		name: "catbridge_leader_epoch", kind: gauge,
		help: "Number of the last known term, of any process. It rises with each term.",
		read: value(func(k *keyStats) int64 { return k.Epoch }),
	},
	{
		name: "catbridge_leader_term_start_timestamp_seconds", kind: gauge,
		help: "Time at which the last term of this process started; missing if it had none.",
		read: timestamp(func(k *keyStats) time.Time { return k.Since }),
	},
	{
		name: "catbridge_leader_terms_total", kind: counter,
		help: "Terms that this process started.",
		read: value(func(k *keyStats) uint64 { return k.Terms }),
	},
	{
		name: "catbridge_leader_fenced_total", kind: counter,
		help: "Terms that ended because Redis refused a write: another process leads.",
		read: value(func(k *keyStats) uint64 { return k.Fenced }),
	},
	{
		name: "catbridge_leader_lapsed_total", kind: counter,
		help: "Terms that ended because Redis confirmed no renewal in time.",
		read: value(func(k *keyStats) uint64 { return k.Lapsed }),
	},
	{
		name: "catbridge_leader_rev", kind: gauge,
		help: "Rev of the current config, in Unix milliseconds, as this process last wrote or read it; 0: no config.",
		read: value(func(k *keyStats) int64 { return k.Rev }),
	},
	{
		name: "catbridge_leader_config_bytes", kind: gauge,
		help: "Size of the current config JSON; 0: no config.",
		read: value(func(k *keyStats) int { return k.Length }),
	},
	{
		name: "catbridge_leader_cdn_last_answer_timestamp_seconds", kind: gauge,
		help: "Time at which the CDN last answered any leader, by Redis's clock; missing if it never did.",
		read: timestamp(func(k *keyStats) time.Time { return k.LastAnswer }),
	},
	{
		name: "catbridge_leader_config_age_seconds", kind: gauge,
		help: "Time since the CDN last answered any leader, by Redis's clock; missing if it never did.",
		read: func(k *keyStats, now time.Time, emit func(float64, string)) {
			if !k.LastAnswer.IsZero() {
				emit(max(0, now.Add(k.ClockOffset).Sub(k.LastAnswer).Seconds()), "")
			}
		},
	},
	{
		name: "catbridge_leader_poll_interval_seconds", kind: gauge,
		help: "Configured time between two polls of the CDN.",
		read: seconds(func(k *keyStats) time.Duration { return k.PollInterval }),
	},
	{
		name: "catbridge_leader_cdn_held_until_timestamp_seconds", kind: gauge,
		help: "Time until which the CDN asks this process not to poll, by the process's clock; missing if it does not.",
		read: timestamp(func(k *keyStats) time.Time { return k.HeldUntil }),
	},
	{
		name: "catbridge_leader_refreshes_total", kind: counter,
		help: "Requests to this process, while it leads, to poll at once, by a webhook or otherwise. Simultaneous ones count as one.",
		read: value(func(k *keyStats) uint64 { return k.Refreshes }),
	},
	{
		name: "catbridge_leader_polls_total", kind: counter, label: "outcome",
		help: "Finished polls of the CDN by this process, by outcome: config (the CDN sent one), not_modified, error.",
		read: parts(
			events{"config", func(k *keyStats) uint64 { return k.Fetched }},
			events{"not_modified", func(k *keyStats) uint64 { return k.NotModified }},
			events{"error", func(k *keyStats) uint64 { return k.PollErrors }},
		),
	},
	{
		name: "catbridge_leader_suspect_answers_total", kind: counter,
		help: "Answers of the CDN with a config that had just been replaced: a lagging edge, or a roll-back.",
		read: value(func(k *keyStats) uint64 { return k.Suspect }),
	},
	{
		name: "catbridge_leader_waits", kind: gauge,
		help: "1 if this process leads and waits for the CDN to confirm the current config, because Redis has an older config than before.",
		read: either(func(k *keyStats) bool { return k.Waits }),
	},
	{
		name: "catbridge_leader_poll_failing", kind: gauge,
		help: "1 if this process leads and its last poll of the CDN failed.",
		read: either(func(k *keyStats) bool { return leads(k) && k.PollError != "" }),
	},
	{
		name: "catbridge_leader_fetch_duration_seconds", kind: durations,
		help:  "Duration of fetches from the CDN, including failed ones.",
		times: func(k *keyStats) histogram.Durations { return histogram.Durations(k.FetchTimes) },
	},
	{
		name: "catbridge_leader_commits_total", kind: counter,
		help: "Configs that this process wrote to Redis, including repairs.",
		read: value(func(k *keyStats) uint64 { return k.Commits }),
	},
	{
		name: "catbridge_leader_repairs_total", kind: counter,
		help: "Configs written again because Redis lost them or another client overwrote them.",
		read: value(func(k *keyStats) uint64 { return k.Repairs }),
	},
	{
		name: "catbridge_leader_renewals_total", kind: counter,
		help: "Renewals of the lock. Each is also a heartbeat.",
		read: value(func(k *keyStats) uint64 { return k.Renewals }),
	},
	{
		name: "catbridge_leader_redis_failing", kind: gauge,
		help: "1 if Redis did not answer the last command of this process, or refused it.",
		read: either(func(k *keyStats) bool { return k.WriteError != "" }),
	},
	{
		name: "catbridge_leader_redis_missing_rights", kind: gauge,
		help: "ACL rules that the Redis user lacks. The log and /status list them.",
		read: value(func(k *keyStats) int { return len(k.MissingRights) }),
	},
	{
		name: "catbridge_leader_history_failing", kind: gauge,
		help: "1 if this process cannot extend the history, or lacks the rights to. The log and /status show why.",
		read: either(func(k *keyStats) bool { return k.HistoryError != "" }),
	},
	{
		name: "catbridge_leader_history_errors_total", kind: counter,
		help: "Changes that this process could not add to the history, or after which it could not trim it.",
		read: value(func(k *keyStats) uint64 { return k.HistoryErrors }),
	},
	{
		name: "catbridge_leader_history_entries", kind: gauge,
		help: "Changes in the history, as of the last change by this process; 0: it has made none.",
		read: value(func(k *keyStats) int64 { return k.HistoryEntries }),
	},
	{
		name: "catbridge_leader_history_bytes", kind: gauge,
		help: "Size of the history, as of the last change by this process; 0: it has made none.",
		read: value(func(k *keyStats) int64 { return k.HistoryBytes }),
	},
	{
		name: "catbridge_leader_controlled", kind: gauge,
		help: "1 if a pin or a forced flag is in force, as this process last saw in Redis. catbridge controls shows which.",
		read: either(func(k *keyStats) bool { return k.InForce != 0 }),
	},
	{
		name: "catbridge_leader_control_suspended", kind: gauge,
		help: "1 if this process leads, and a pin or a forced flag has no effect for now. The log and /status show why.",
		read: either(func(k *keyStats) bool { return leads(k) && k.Suspended != "" }),
	},
	{
		name: "catbridge_leader_controls_lost_total", kind: counter,
		help: "How often this process found that Redis had lost or damaged what operators put in force.",
		read: value(func(k *keyStats) uint64 { return k.ControlsLost }),
	},
	{
		name: "catbridge_leader_redis_last_contact_timestamp_seconds", kind: gauge,
		help: "Time at which Redis last answered this process, by the process's clock; missing if it never did.",
		read: timestamp(func(k *keyStats) time.Time { return k.LastContact }),
	},
	{
		name: "catbridge_leader_redis_clock_offset_seconds", kind: gauge,
		help: "Time by which Redis's clock is ahead of this machine's.",
		read: seconds(func(k *keyStats) time.Duration { return k.ClockOffset }),
	},
	{
		name: "catbridge_leader_entry_ahead_seconds", kind: gauge,
		help: "Time by which the fetch time in the shared entry is ahead of Redis's clock; above 300, a clock is wrong.",
		read: seconds(func(k *keyStats) time.Duration { return k.Ahead }),
	},
	{
		name: "catbridge_leader_receivers", kind: gauge,
		help: "Subscribers that received the last message of this process, on one Redis node.",
		read: value(func(k *keyStats) int64 { return k.Receivers }),
	},
	{
		name: "catbridge_leader_broken_flags", kind: gauge,
		help: "Flags with an error in the config that this process last wrote: they can return their defaults.",
		read: value(func(k *keyStats) int { return k.BrokenFlags }),
	},
	{
		name: "catbridge_leader_webhooks_total", kind: counter, label: "outcome",
		help: "Webhooks that this process received, by outcome: accepted, malformed, too_large, stale (wrong time), forged (no valid " +
			"signature), replayed (answered without another poll), failed (Redis was unavailable).",
		read: parts(
			events{"accepted", func(k *keyStats) uint64 { return k.Webhooks.Accepted }},
			events{"malformed", func(k *keyStats) uint64 { return k.Webhooks.Malformed }},
			events{"too_large", func(k *keyStats) uint64 { return k.Webhooks.TooLarge }},
			events{"stale", func(k *keyStats) uint64 { return k.Webhooks.Stale }},
			events{"forged", func(k *keyStats) uint64 { return k.Webhooks.Forged }},
			events{"replayed", func(k *keyStats) uint64 { return k.Webhooks.Replayed }},
			events{"failed", func(k *keyStats) uint64 { return k.Webhooks.Failed }},
		),
	},
	{
		name: "catbridge_leader_bad_messages_total", kind: counter,
		help: "Invalid messages on the channel.",
		read: value(func(k *keyStats) uint64 { return k.BadMessages }),
	},
})
