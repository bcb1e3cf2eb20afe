package httpd

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/catbridge/catbridge/leader"
)

// Status is the answer of GET /status, as JSON. The names of its fields do not change; later
// versions may add fields. Times are RFC 3339 in UTC, by this machine's clock unless another is
// named; a missing time is not known yet. It contains no secrets.
type Status struct {
	Version  string      `json:"version,omitempty"` // of the program
	LeaderID string      `json:"leader_id"`         // new for each start; part of the lock
	Time     time.Time   `json:"time"`              // of the answer
	Ready    bool        `json:"ready"`             // as in /readyz
	SDKKeys  []KeyStatus `json:"sdk_keys"`          // one for each SDK key
}

// KeyStatus is the part of a [Status] about one SDK key.
type KeyStatus struct {
	Name   string       `json:"name"`             // of the SDK key, or its last characters
	State  leader.State `json:"state"`            // candidate, warm, steady or stopped
	Ready  bool         `json:"ready"`            // as in /readyz
	Reason string       `json:"reason,omitempty"` // why it is not ready

	LockHolder  string    `json:"lock_holder,omitempty"` // ID of the leader; missing: unknown
	Epoch       int64     `json:"epoch,omitempty"`       // of the last known term
	Since       time.Time `json:"since,omitzero"`        // when this process's last term started
	LastContact time.Time `json:"last_contact,omitzero"` // when Redis last answered

	Rev          int64     `json:"rev"`                   // of the current config, Unix milliseconds; 0: no config
	Hash         string    `json:"hash,omitempty"`        // of the current config, SHA-256
	ETag         string    `json:"etag,omitempty"`        // of the current config
	Bytes        int       `json:"bytes"`                 // of the config JSON
	LastAnswer   time.Time `json:"last_answer,omitzero"`  // of the CDN, by Redis's clock
	Age          *float64  `json:"age_seconds,omitempty"` // since last_answer, by Redis's clock
	Ahead        float64   `json:"ahead_seconds"`         // how far the entry is ahead of Redis's clock
	ClockOffset  float64   `json:"clock_offset_seconds"`  // Redis's clock minus this machine's
	Receivers    int64     `json:"receivers"`             // of the last message
	PollInterval float64   `json:"poll_interval_seconds"` // of this process
	BrokenFlags  int       `json:"broken_flags"`          // flags with an error in their model
	HeldUntil    time.Time `json:"held_until,omitzero"`   // when the CDN may be polled again, if the CDN asked to wait
	PollError    string    `json:"poll_error,omitempty"`  // of the last poll
	WriteError   string    `json:"write_error,omitempty"` // of the last write to Redis
	// MissingRights are the rules for ACL SETUSER that grant the missing rights.
	MissingRights []string `json:"missing_rights,omitempty"`
	// Waits reports whether this process leads and waits for the CDN, because Redis has an older
	// config than before.
	Waits bool `json:"waits,omitempty"`
	// HistoryError is why the history is not extended.
	HistoryError string `json:"history_error,omitempty"`
	// Control is the seq of what operators have put in force, Unix milliseconds.
	Control int64 `json:"control,omitempty"`
	// Suspended is why that has no effect for now, or not all of it.
	Suspended string `json:"suspended,omitempty"`
}

type status struct {
	leader  Leader
	version string
}

func (s status) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	body, err := json.MarshalIndent(s.read(time.Now()), "", "  ")
	if err != nil {
		panic(err) // unreachable: all fields can be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

func (s status) read(now time.Time) Status {
	stats := s.leader.Stats()
	all := Status{
		Version: s.version, LeaderID: stats.ID, Time: now.UTC().Truncate(time.Millisecond),
		Ready: len(stats.Keys) > 0, SDKKeys: make([]KeyStatus, 0, len(stats.Keys)),
	}
	for _, k := range stats.Keys {
		key := keyStatus(k, now)
		all.Ready = all.Ready && key.Ready
		all.SDKKeys = append(all.SDKKeys, key)
	}
	return all
}

func keyStatus(k leader.KeyStats, now time.Time) KeyStatus {
	reason := unready(k, now)
	s := KeyStatus{
		Name: k.Name, State: k.State, Ready: reason == "", Reason: reason,
		LockHolder: k.LockHolder, Epoch: k.Epoch, Since: utc(k.Since), LastContact: utc(k.LastContact),
		Rev: k.Rev, Hash: k.Hash, ETag: k.ETag, Bytes: k.Length, LastAnswer: k.LastAnswer, HeldUntil: utc(k.HeldUntil),
		PollInterval: k.PollInterval.Seconds(), Ahead: k.Ahead.Seconds(), ClockOffset: k.ClockOffset.Seconds(), Receivers: k.Receivers,
		BrokenFlags: k.BrokenFlags, PollError: k.PollError, WriteError: k.WriteError, MissingRights: k.MissingRights,
		Waits: k.Waits, HistoryError: k.HistoryError, Control: k.InForce, Suspended: k.Suspended,
	}
	if !k.LastAnswer.IsZero() {
		s.Age = new(max(0, now.Add(k.ClockOffset).Sub(k.LastAnswer).Seconds()))
	}
	return s
}

func utc(at time.Time) time.Time { return at.UTC().Truncate(time.Millisecond) }
