package observe

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
)

const (
	// maxVersions and maxHistoryBytes bound what is read of a history.
	maxVersions     = 100
	maxHistoryBytes = 4 << 20
	// workBytes bounds the configs that one look makes of the history and compares, in bytes of JSON. At
	// least one is compared, so that the next looks do the rest.
	workBytes = 16 << 20
	// keptBytes bounds what is kept of the changes of all versions of an SDK key.
	keptBytes = 8 << 20
	// maxLines is the greatest number of lines that are kept of a change.
	maxLines = 100
	// retryHistory is how long after a failure the history is read again.
	retryHistory = time.Minute
)

// timeline follows the history of an SDK key: it reads it when something came into force, and compares
// the configs of the new versions, a bounded number of bytes in each look.
type timeline struct {
	seen     mark // what was newest when the history was read
	known    bool // the history was read
	failed   time.Time
	fault    string
	older    bool
	broken   int // malformed entries
	versions []version
	shown    struct { // in views; history is nil if it must be made again
		history  []Version
		changed  map[string]Changed
		complete bool
	}

	// The rest is there while versions remain to be compared.
	history *history.History
	next    int              // index of the version to compare with the one before it
	later   *evaluate.Config // of the version next; nil: not compiled
	near    *evaluate.Config // in force in this process, or nil; compiling a similar one is faster
}

// mark is what is newest in Redis.
type mark struct {
	current string // hash of the config in force
	rev     int64  // of the newest entry of the history; 0: unknown
	at      time.Time
}

// version is a version, and the keys of all flags that it changed.
type version struct {
	Version
	done  bool
	flags []string
	size  int // about what is kept, in bytes
}

func markOf(key *inspect.Key) mark {
	var m mark
	if c := key.Content; c != nil {
		m.current = c.Hash
	}
	if h := key.History; h != nil {
		m.rev, m.at = h.Rev, h.Time
	}
	return m
}

// follow reads the history if it has something new, and compares a part of what is not compared yet.
func (t *timeline) follow(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string, key *inspect.Key, near *evaluate.Config) {
	t.near = near
	now := markOf(key)
	if now.current == "" && now.rev == 0 {
		return
	}
	if !t.known && time.Since(t.failed) >= retryHistory || now != t.seen {
		t.seen = now
		h, err := history.ReadNewest(ctx, client, sdkKey, namespace, maxVersions, maxHistoryBytes)
		if err != nil {
			t.known, t.failed, t.fault = false, time.Now(), historyFault(err)
			return
		}
		t.known, t.fault = true, ""
		t.read(h)
	}
	t.work()
}

func historyFault(err error) string {
	if reply, ok := errors.AsType[redis.Error](err); ok && redis.IsPermissionError(reply) {
		return err.Error() + "; grant +xrevrange, +hmget and +getrange, see deploy/acl"
	}
	return redisurl.Explain(err).Error() + "; run catbridge doctor"
}

// read takes over a history, and keeps what is known of its versions.
func (t *timeline) read(h *history.History) {
	type identity struct {
		rev  int64
		hash string
		at   time.Time
		gap  history.Gap
	}
	identityOf := func(v *history.Version) identity { return identity{v.Rev, v.Hash, v.Time, v.Gap} }
	known := make(map[identity]version, len(t.versions))
	for i, v := range t.versions {
		if v.done && i+1 < len(t.versions) { // what the oldest one changed may be known now
			known[identityOf(&v.Version.Version)] = v
		}
	}
	t.versions = make([]version, len(h.Versions))
	for i := range h.Versions {
		t.versions[i] = version{Version: Version{Version: h.Versions[i], Why: NotCompared}}
		if v, ok := known[identityOf(&h.Versions[i])]; ok {
			t.versions[i] = v
		}
	}
	t.older, t.broken = h.Cut, h.Malformed
	t.history, t.next, t.later = h, 0, nil
}

// work compares versions.
func (t *timeline) work() {
	if t.history == nil {
		return
	}
	t.shown.history = nil
	for left := workBytes; left > 0 && t.next < len(t.versions); t.next++ {
		v := &t.versions[t.next]
		if v.done {
			t.later = nil
			continue
		}
		left -= v.Size + t.compare(t.next)
		v.done = true
	}
	if t.next == len(t.versions) {
		t.history, t.later = nil, nil
		t.forget()
	}
}

// compare finds what a version changed, and returns about how many bytes of JSON it read.
func (t *timeline) compare(i int) (cost int) {
	v := &t.versions[i]
	if i+1 == len(t.versions) {
		v.Why = ""
		if t.older {
			v.Why = "older configs are not shown: catbridge history shows them"
		}
		return 0
	}
	before := t.history.Versions[i+1].Size
	to := t.later
	t.later = nil
	var err error
	if to == nil {
		to, err = t.config(i, t.near)
	}
	var from *evaluate.Config
	if err == nil {
		from, err = t.config(i+1, to)
	}
	v.Gap = t.history.Versions[i].Gap // reading the content may have found that it is corrupt
	switch {
	case v.Gap != history.NoGap:
		v.Why = "the config before " + words.Gap(v.Gap)
	case err != nil:
		v.Why = strings.TrimPrefix(err.Error(), history.ErrUnavailable.Error()+": ")
	default:
		t.later = from
		v.Known, v.Why = true, ""
		v.keep(evaluate.Diff(from, to))
	}
	return before
}

func (t *timeline) config(i int, near *evaluate.Config) (*evaluate.Config, error) {
	json, err := t.history.Content(i)
	if err != nil {
		return nil, err
	}
	return evaluate.Reparse(near, json)
}

// keep copies changes, so that they do not hold the configs in memory.
func (v *version) keep(changes []evaluate.Change) {
	for i := range changes {
		c := &changes[i]
		if c.Flag != "" {
			v.flags = append(v.flags, strings.Clone(c.Flag))
			v.size += len(c.Flag) + 16
		}
		if i >= MaxChanges {
			v.Left++
			continue
		}
		change := Change{Subject: cloned(words.SubjectOf(c)), Kind: c.Kind}
		for _, d := range c.Details {
			if len(change.Lines) == maxLines {
				change.Lines = append(change.Lines, "…")
				break
			}
			change.Lines = append(change.Lines, strings.Clone(d.Text))
			v.size += len(d.Text) + 16
		}
		v.Changes = append(v.Changes, change)
		v.size += len(change.Flag) + len(change.Segment) + 128
	}
}

func cloned(s words.Subject) words.Subject {
	s.Flag, s.Segment = strings.Clone(s.Flag), strings.Clone(s.Segment)
	for i := range s.Prerequisites {
		s.Prerequisites[i] = strings.Clone(s.Prerequisites[i])
	}
	for i := range s.Segments {
		s.Segments[i] = strings.Clone(s.Segments[i])
	}
	return s
}

// forget drops the changes of the oldest versions that are more than what is kept.
func (t *timeline) forget() {
	left := keptBytes
	for i := range t.versions {
		v := &t.versions[i]
		if left -= v.size; left < 0 {
			v.Known, v.Why = false, "there were too many changes since to keep it: catbridge history shows it"
			v.Changes, v.Left, v.flags, v.size = nil, 0, nil, 0
		}
	}
}

// fill fills what a view says of the history. Views share it until it changes.
func (t *timeline) fill(view *View) {
	view.HistoryErr, view.Older, view.Malformed = t.fault, t.older, t.broken
	if !t.known {
		return
	}
	if t.shown.history == nil {
		t.show()
	}
	view.History, view.Changed, view.Complete = t.shown.history, t.shown.changed, t.shown.complete
}

func (t *timeline) show() {
	t.shown.history = make([]Version, len(t.versions))
	t.shown.changed = map[string]Changed{}
	certain := true // no version is unknown that may have changed a flag later
	for i := range t.versions {
		v := &t.versions[i]
		t.shown.history[i] = v.Version
		for _, flag := range v.flags {
			if _, later := t.shown.changed[flag]; !later && certain {
				t.shown.changed[flag] = Changed{Rev: v.Rev, Time: v.Time, Cause: v.Cause}
			}
		}
		if last := i+1 == len(t.versions); last {
			certain = certain && v.Cause == history.First
		} else {
			certain = certain && v.Known
		}
	}
	t.shown.complete = certain && len(t.versions) > 0 && !t.older && t.broken == 0
}
