package metrics

import (
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/histogram"
)

type stats = follower.Stats

type count = part[stats, uint64]

var followerFamily = newFamily([]string{nameLabel}, []metric[stats]{
	{
		name: "catbridge_follower_state", kind: gauge, label: "state",
		help: "1 for the state of the connection to Redis: connecting, live, no_leader (connected, but no leader sends heartbeats), polling " +
			"(no subscription is possible), disconnected, unsubscribed (none is configured), closed.",
		read: oneOf(func(s *stats) follower.State { return s.State }, follower.StateConnecting, follower.StateLive, follower.StateNoLeader,
			follower.StatePolling, follower.StateDisconnected, follower.StateUnsubscribed, follower.StateClosed),
	},
	{
		name: "catbridge_follower_rev", kind: gauge,
		help: "Rev of the config in force, in Unix milliseconds, to compare with catbridge_leader_rev; 0: no config.",
		read: value(func(s *stats) int64 { return s.Rev }),
	},
	{
		name: "catbridge_follower_source", kind: gauge, label: "source",
		help: "1 for the source of the config in force: blob, message, patches or entry in Redis, cache, cdn, file.",
		read: oneOf(func(s *stats) follower.Source { return s.Source }, follower.SourceBlob, follower.SourceMessage, follower.SourcePatches,
			follower.SourceEntry, follower.SourceCache, follower.SourceCDN, follower.SourceFile),
	},
	{
		name: "catbridge_follower_config_age_seconds", kind: gauge,
		help: "Time since the CDN last confirmed the config in force, as reported by leaders; missing if unknown.",
		read: func(s *stats, now time.Time, emit func(float64, string)) {
			if !s.LastConfirmed.IsZero() {
				emit(max(0, now.Sub(s.LastConfirmed)).Seconds(), "")
			}
		},
	},
	{
		name: "catbridge_follower_poll_interval_seconds", kind: gauge,
		help: "Time between two polls of the CDN, as reported by the leader.",
		read: seconds(func(s *stats) time.Duration { return s.PollInterval }),
	},
	{
		name: "catbridge_follower_epoch", kind: gauge,
		help: "Number of the last known term of a leader.",
		read: value(func(s *stats) int64 { return s.Epoch }),
	},
	{
		name: "catbridge_follower_controlled", kind: gauge,
		help: "1 if an operator's control (pin or force) is in force, as reported by leaders: the config need not be the CDN's.",
		read: either(func(s *stats) bool { return s.Control != 0 }),
	},
	{
		name: "catbridge_follower_publish_to_apply_seconds", kind: durations,
		help: "Time from the leader's request to the CDN for a config until the client put it in force. The start is by Redis's clock: if " +
			"this machine's clock differs, the value is wrong by at most the time between two messages. Changes by an operator's control do not count.",
		times: func(s *stats) histogram.Durations { return histogram.Durations(s.PublishToApply) },
	},
	{
		name: "catbridge_follower_apply_duration_seconds", kind: durations,
		help:  "Time from the first message about a newer config until the client put it in force, including the wait in the spread window. It is exact.",
		times: func(s *stats) histogram.Durations { return histogram.Durations(s.ApplyTimes) },
	},
	{
		name: "catbridge_follower_connects_total", kind: counter,
		help: "Subscriptions that Redis acknowledged.",
		read: value(func(s *stats) uint64 { return s.Connects }),
	},
	{
		name: "catbridge_follower_disconnects_total", kind: counter,
		help: "Subscriptions that ended without being closed by the client.",
		read: value(func(s *stats) uint64 { return s.Disconnects }),
	},
	{
		name: "catbridge_follower_failed_subscriptions_total", kind: counter,
		help: "Subscriptions that Redis refused, or that failed although Redis answered.",
		read: value(func(s *stats) uint64 { return s.FailedSubscriptions }),
	},
	{
		name: "catbridge_follower_undelivered_total", kind: counter,
		help: "Connections closed because a leader was alive, but its messages did not arrive.",
		read: value(func(s *stats) uint64 { return s.Undelivered }),
	},
	{
		name: "catbridge_follower_messages_total", kind: counter, label: "type",
		help: "Received messages, by type: change, heartbeat, resign, refresh, control, unknown (of another version), bad (malformed, or with " +
			"content that does not match its hash).",
		read: parts(
			count{"change", func(s *stats) uint64 { return s.Changes }},
			count{"heartbeat", func(s *stats) uint64 { return s.Heartbeats }},
			count{"resign", func(s *stats) uint64 { return s.Resignations }},
			count{"refresh", func(s *stats) uint64 { return s.RefreshAsked }},
			count{"control", func(s *stats) uint64 { return s.ControlAsked }},
			count{"unknown", func(s *stats) uint64 { return s.Unknown }},
			count{"bad", func(s *stats) uint64 { return s.BadMessages }},
		),
	},
	{
		name: "catbridge_follower_dropped_messages_total", kind: counter,
		help: "Messages dropped because too many arrived at once. The client reads from Redis instead.",
		read: value(func(s *stats) uint64 { return s.Dropped }),
	},
	{
		name: "catbridge_follower_resyncs_total", kind: counter,
		help: "Times that the client asked Redis which config is current because it may have missed messages.",
		read: value(func(s *stats) uint64 { return s.Resyncs }),
	},
	{
		name: "catbridge_follower_reads_total", kind: counter, label: "kind",
		help: "Reads from Redis, by kind: content, patches (how the content differs from earlier content), head (which content is current), " +
			"entry (the one that official SDKs share).",
		read: parts(
			count{"content", func(s *stats) uint64 { return s.Reads }},
			count{"patches", func(s *stats) uint64 { return s.PatchReads }},
			count{"head", func(s *stats) uint64 { return s.HeadReads }},
			count{"entry", func(s *stats) uint64 { return s.EntryReads }},
		),
	},
	{
		name: "catbridge_follower_failed_reads_total", kind: counter,
		help: "Reads from Redis that failed.",
		read: value(func(s *stats) uint64 { return s.FailedReads }),
	},
	{
		name: "catbridge_follower_lagging_reads_total", kind: counter,
		help: "Reads that returned older content than announced: a lagging replica.",
		read: value(func(s *stats) uint64 { return s.LaggingReads }),
	},
	{
		name: "catbridge_follower_applied_total", kind: counter,
		help: "Configs from Redis put in force.",
		read: value(func(s *stats) uint64 { return s.Applied }),
	},
	{
		name: "catbridge_follower_applied_inline_total", kind: counter,
		help: "Configs put in force directly from a message, without a read.",
		read: value(func(s *stats) uint64 { return s.Inline }),
	},
	{
		name: "catbridge_follower_applied_patched_total", kind: counter,
		help: "Configs made of the previous one by patches, in a message or read from Redis.",
		read: value(func(s *stats) uint64 { return s.Patched }),
	},
	{
		name: "catbridge_follower_unused_patches_total", kind: counter,
		help: "Messages with a patch, and reads of patches, that do not start from the config in force. The client reads the config instead.",
		read: value(func(s *stats) uint64 { return s.UnusedPatches }),
	},
	{
		name: "catbridge_follower_refused_total", kind: counter, label: "what",
		help: "Rejected content; the previous config stays in force. By kind: blob (the bridge's copy is corrupt), entry (the official " +
			"entry is corrupt), config (not a valid config), patch (malformed, or with another result than announced; the client reads the config instead).",
		read: parts(
			count{"blob", func(s *stats) uint64 { return s.RefusedBlobs }},
			count{"entry", func(s *stats) uint64 { return s.RefusedEntries }},
			count{"config", func(s *stats) uint64 { return s.RefusedConfigs }},
			count{"patch", func(s *stats) uint64 { return s.RefusedPatches }},
		),
	},
	{
		name: "catbridge_follower_anomalies_total", kind: counter,
		help: "Times that other content was announced with the current rev, which no leader does.",
		read: value(func(s *stats) uint64 { return s.Anomalies }),
	},
	{
		name: "catbridge_follower_hold_downs_total", kind: counter,
		help: "Times that other content with a lower rev was announced, which only the rebase rule accepts.",
		read: value(func(s *stats) uint64 { return s.HoldDowns }),
	},
	{
		name: "catbridge_follower_rebases_total", kind: counter,
		help: "Times that the rebase rule accepted a lower rev: Redis lost its data, and its clock is behind.",
		read: value(func(s *stats) uint64 { return s.Rebases }),
	},
	{
		name: "catbridge_follower_evaluation_errors_total", kind: counter, label: "reason",
		help: "Failed evaluations, which return the default, by reason: no_config, no_such_key, wrong_type (of the default), broken_flag, other.",
		read: parts(
			count{"no_config", func(s *stats) uint64 { return s.EvaluationErrors.NoConfig }},
			count{"no_such_key", func(s *stats) uint64 { return s.EvaluationErrors.NoSuchKey }},
			count{"wrong_type", func(s *stats) uint64 { return s.EvaluationErrors.WrongType }},
			count{"broken_flag", func(s *stats) uint64 { return s.EvaluationErrors.BrokenFlag }},
			count{"other", func(s *stats) uint64 { return s.EvaluationErrors.Other }},
		),
	},
	{
		name: "catbridge_follower_cdn_fetches_total", kind: counter,
		help: "Fetches from the CDN by the client itself.",
		read: value(func(s *stats) uint64 { return s.Fetches }),
	},
	{
		name: "catbridge_follower_failed_cdn_fetches_total", kind: counter,
		help: "Fetches from the CDN by the client without a usable answer.",
		read: value(func(s *stats) uint64 { return s.FailedFetches }),
	},
	{
		name: "catbridge_follower_suspect_cdn_fetches_total", kind: counter,
		help: "Fetches from the CDN by the client that returned a config replaced within the last 2 minutes, so the client fetched again.",
		read: value(func(s *stats) uint64 { return s.SuspectFetches }),
	},
	{
		name: "catbridge_follower_waits_total", kind: counter,
		help: "Times that another config in Redis had to wait, because the client had fetched one itself, until the CDN was known to have confirmed it later.",
		read: value(func(s *stats) uint64 { return s.Waits }),
	},
	{
		name: "catbridge_follower_reports_total", kind: counter,
		help: "Reports to the fleet.",
		read: value(func(s *stats) uint64 { return s.Reports }),
	},
	{
		name: "catbridge_follower_failed_reports_total", kind: counter,
		help: "Reports to the fleet that Redis did not accept.",
		read: value(func(s *stats) uint64 { return s.FailedReports }),
	},
	{
		name: "catbridge_follower_dropped_hooks_total", kind: counter,
		help: "Changes and errors that hooks did not receive because they were too slow.",
		read: value(func(s *stats) uint64 { return s.DroppedHooks }),
	},
	{
		name: "catbridge_follower_dropped_evaluation_hooks_total", kind: counter,
		help: "Evaluations that OnFlagEvaluated hooks did not receive because they were too slow.",
		read: value(func(s *stats) uint64 { return s.DroppedEvaluationHooks }),
	},
	{
		name: "catbridge_follower_hook_panics_total", kind: counter,
		help: "Hooks that panicked or ended their goroutine.",
		read: value(func(s *stats) uint64 { return s.HookPanics }),
	},
})
