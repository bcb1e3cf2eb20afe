package metrics

import (
	"time"

	"github.com/catbridge/catbridge/internal/histogram"
	"github.com/catbridge/catbridge/leader"
)

type keyStats = leader.KeyStats

// events is a value of a label of a leader's counter.
type events = part[keyStats, uint64]

func leads(k *keyStats) bool { return k.State == leader.Warm || k.State == leader.Steady }

// processFamily tells of the leader as a whole.
var processFamily = newFamily(nil, []metric[leader.Stats]{
	{
		name: "catbridge_leader_info", kind: gauge, label: "leader_id",
		help: "1, with the ID of this leader, which is new for each start and stands in the lock.",
		read: func(s *leader.Stats, _ time.Time, emit func(float64, string)) { emit(1, s.ID) },
	},
	{
		name: "catbridge_leader_unknown_webhooks_total", kind: counter,
		help: "Requests to a webhook that there is not: no SDK key has that name, or it has no signing key.",
		read: value(func(s *leader.Stats) uint64 { return s.UnknownWebhooks }),
	},
})

// leaderFamily tells of each SDK key.
var leaderFamily = newFamily([]string{nameLabel}, []metric[keyStats]{
	{
		name: "catbridge_leader_is_leader", kind: gauge,
		help: "1 if this process leads for the SDK key.",
		read: either(leads),
	},
	{
		name: "catbridge_leader_state", kind: gauge, label: "state",
		help: "1 for the state that this process is in: candidate, warm (it leads, and the CDN has not answered it yet), steady (it leads), stopped.",
		read: oneOf(func(k *keyStats) leader.State { return k.State }, leader.Candidate, leader.Warm, leader.Steady, leader.Stopped),
	},
	{
		name: "catbridge_leader_epoch", kind: gauge,
		help: "Number of the term last known, whoever leads; it rises with each.",
		read: value(func(k *keyStats) int64 { return k.Epoch }),
	},
	{
		name: "catbridge_leader_term_start_timestamp_seconds", kind: gauge,
		help: "When the last term of this process began; missing if it had none.",
		read: timestamp(func(k *keyStats) time.Time { return k.Since }),
	},
	{
		name: "catbridge_leader_terms_total", kind: counter,
		help: "Terms that this process began.",
		read: value(func(k *keyStats) uint64 { return k.Terms }),
	},
	{
		name: "catbridge_leader_fenced_total", kind: counter,
		help: "Terms that ended because a write was refused: another leads.",
		read: value(func(k *keyStats) uint64 { return k.Fenced }),
	},
	{
		name: "catbridge_leader_lapsed_total", kind: counter,
		help: "Terms that ended because no renewal came through to Redis in time.",
		read: value(func(k *keyStats) uint64 { return k.Lapsed }),
	},
	{
		name: "catbridge_leader_rev", kind: gauge,
		help: "Rev of the current config, in Unix milliseconds, as this process last wrote or saw it; 0: there is none.",
		read: value(func(k *keyStats) int64 { return k.Rev }),
	},
	{
		name: "catbridge_leader_config_bytes", kind: gauge,
		help: "Size of the current config JSON; 0: there is none.",
		read: value(func(k *keyStats) int { return k.Length }),
	},
	{
		name: "catbridge_leader_cdn_last_answer_timestamp_seconds", kind: gauge,
		help: "When the CDN last answered any leader, by Redis's clock; missing if it never did.",
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
		help: "Time between two polls of the CDN, as it is configured.",
		read: seconds(func(k *keyStats) time.Duration { return k.PollInterval }),
	},
	{
		name: "catbridge_leader_cdn_held_until_timestamp_seconds", kind: gauge,
		help: "Until when the CDN asked this process not to poll, by its own clock; missing if it did not.",
		read: timestamp(func(k *keyStats) time.Time { return k.HeldUntil }),
	},
	{
		name: "catbridge_leader_refreshes_total", kind: counter,
		help: "Times that this process, leading, was asked to poll, by a webhook or otherwise; many at once count as one.",
		read: value(func(k *keyStats) uint64 { return k.Refreshes }),
	},
	{
		name: "catbridge_leader_polls_total", kind: counter, label: "outcome",
		help: "Polls of the CDN by this process that ended, by outcome: config (it sent one), not_modified, error.",
		read: parts(
			events{"config", func(k *keyStats) uint64 { return k.Fetched }},
			events{"not_modified", func(k *keyStats) uint64 { return k.NotModified }},
			events{"error", func(k *keyStats) uint64 { return k.PollErrors }},
		),
	},
	{
		name: "catbridge_leader_suspect_answers_total", kind: counter,
		help: "Answers of the CDN with a config that had been replaced a moment before: an edge that lags, or a roll-back.",
		read: value(func(k *keyStats) uint64 { return k.Suspect }),
	},
	{
		name: "catbridge_leader_waits", kind: gauge,
		help: "1 if this process leads and waits for the CDN, because Redis holds an older config than it did.",
		read: either(func(k *keyStats) bool { return k.Waits }),
	},
	{
		name: "catbridge_leader_poll_failing", kind: gauge,
		help: "1 if this process leads and its last poll of the CDN failed.",
		read: either(func(k *keyStats) bool { return leads(k) && k.PollError != "" }),
	},
	{
		name: "catbridge_leader_fetch_duration_seconds", kind: durations,
		help:  "How long fetches from the CDN took, those that failed included.",
		times: func(k *keyStats) histogram.Durations { return k.FetchTimes },
	},
	{
		name: "catbridge_leader_commits_total", kind: counter,
		help: "Configs that this process wrote to Redis, heals included.",
		read: value(func(k *keyStats) uint64 { return k.Commits }),
	},
	{
		name: "catbridge_leader_repairs_total", kind: counter,
		help: "Times that a config had to be written again because Redis lost it or somebody changed it.",
		read: value(func(k *keyStats) uint64 { return k.Repairs }),
	},
	{
		name: "catbridge_leader_renewals_total", kind: counter,
		help: "Renewals of the lock, which are the heartbeats.",
		read: value(func(k *keyStats) uint64 { return k.Renewals }),
	},
	{
		name: "catbridge_leader_redis_failing", kind: gauge,
		help: "1 if Redis did not answer this process last, or refused what it asked for.",
		read: either(func(k *keyStats) bool { return k.WriteError != "" }),
	},
	{
		name: "catbridge_leader_redis_missing_rights", kind: gauge,
		help: "Rules that the ACL user lacks in Redis; the log and /status name them.",
		read: value(func(k *keyStats) int { return len(k.MissingRights) }),
	},
	{
		name: "catbridge_leader_redis_last_contact_timestamp_seconds", kind: gauge,
		help: "When Redis last answered this process, by its own clock; missing if it never did.",
		read: timestamp(func(k *keyStats) time.Time { return k.LastContact }),
	},
	{
		name: "catbridge_leader_redis_clock_offset_seconds", kind: gauge,
		help: "How far Redis's clock is ahead of this machine's.",
		read: seconds(func(k *keyStats) time.Duration { return k.ClockOffset }),
	},
	{
		name: "catbridge_leader_entry_ahead_seconds", kind: gauge,
		help: "How far the fetch time in the shared entry is ahead of Redis's clock; above 300 some clock is wrong.",
		read: seconds(func(k *keyStats) time.Duration { return k.Ahead }),
	},
	{
		name: "catbridge_leader_receivers", kind: gauge,
		help: "Subscribers that the last message of this process reached, on one Redis node.",
		read: value(func(k *keyStats) int64 { return k.Receivers }),
	},
	{
		name: "catbridge_leader_broken_flags", kind: gauge,
		help: "Flags of the config last written by this process with an error in their model: they always evaluate to the default.",
		read: value(func(k *keyStats) int { return k.BrokenFlags }),
	},
	{
		name: "catbridge_leader_webhooks_total", kind: counter, label: "outcome",
		help: "Webhooks that this process got, by outcome: accepted, malformed, too_large, stale (its time is off), forged (no signature fits), " +
			"replayed (answered without a further poll), failed (Redis could not be asked).",
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
		help: "Messages on the channel that could not be read.",
		read: value(func(k *keyStats) uint64 { return k.BadMessages }),
	},
})
