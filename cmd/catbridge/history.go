package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
)

var historyLong = `history prints which configs were in force, the newest first, and flag by flag what each
changed: when it came into force, the first 8 digits of its hash, its rev, why it came into
force, and the host or ID of the leader that published it. NAME is the name of the SDK key; with
one SDK key it may be left out.

` + words.Causes() + `
A line says why the config before is unavailable: a leader did not hold it, it did not fit
into the history, or a change was not recorded. Differences that no evaluation shows, such
as white space, are not listed. The Redis user needs +xrevrange, +hmget and +getrange.

With --json it prints an object with entries. Each has rev, hash, time, cause, etag, size,
leader, gap (if there is one) and changes, which is null if they are unknown.`

type historyFlags struct {
	settings settingsFlags
	flag     string
	limit    int
	json     bool
	timeout  time.Duration
}

func newHistory() *cobra.Command {
	var f historyFlags
	cmd := &cobra.Command{
		Use:   "history [NAME]",
		Short: "Print when which flags changed",
		Long:  historyLong,
		Example: "  catbridge history --config catbridge.yaml shop\n" +
			"  catbridge history --config catbridge.yaml shop --flag newCheckout",
		Args: atMost(1, "at most the name of an SDK key"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.settings.AnySDKKey = true // history fetches nothing
	addHistorySettings(cmd, &f.settings, &f.timeout)
	cmd.Flags().StringVar(&f.flag, "flag", "", "print only changes of the flag with this `key`, and of the segments and prerequisites that it uses")
	cmd.Flags().IntVar(&f.limit, "limit", 20, "maximum `number` of configs to print; 0: all")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	noCompletion(cmd, "flag", "limit")
	return cmd
}

// addHistorySettings adds the settings of the commands that read the history.
func addHistorySettings(cmd *cobra.Command, f *settingsFlags, timeout *time.Duration) {
	f.add(cmd, settings.SDKKeys|settings.BaseURL|settings.Redis)
	cmd.Flags().DurationVar(timeout, "timeout", 10*time.Second, "timeout of the command, a `duration`")
	noCompletion(cmd, "timeout")
}

// atMost does not quote the arguments: they may be SDK keys.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef("unexpected arguments (%d): the command takes %s", len(args), what)
		}
		return nil
	}
}

// openedHistory is the history of one SDK key, and what is needed to read more.
type openedHistory struct {
	*history.History
	settings *settings.Settings
	key      settings.SDKKey
	parsed   *evaluate.Config // the last config that was compiled
}

// openHistory reads the history of the SDK key that the first argument names, if any, and returns
// the other arguments.
func openHistory(ctx context.Context, cmd *cobra.Command, f *settingsFlags, args []string) (*openedHistory, []string, error) {
	s, err := f.load(cmd)
	if err != nil {
		return nil, nil, err
	}
	key, rest, err := selectKey(s.SDKKeys, args)
	if err != nil {
		return nil, nil, err
	}
	client := s.RedisOptions.Client()
	defer client.Close()
	h, err := history.Read(ctx, client, key.Key, s.RedisOptions.Namespace())
	if err != nil {
		return nil, nil, historyError(key, err)
	}
	return &openedHistory{History: h, settings: s, key: key}, rest, nil
}

func historyError(key settings.SDKKey, err error) error {
	if reply, ok := errors.AsType[redis.Error](err); ok && redis.IsPermissionError(reply) {
		return fmt.Errorf("%s: %w; grant +xrevrange, +hmget and +getrange, see deploy/acl", key.Label(), err)
	}
	return fmt.Errorf("%s: %w; run catbridge doctor", key.Label(), redisurl.Explain(err))
}

// selectKey returns the SDK key that the first argument names, and the other arguments. With one
// SDK key the name may be left out. It does not quote the arguments: they may be SDK keys.
func selectKey(keys []settings.SDKKey, args []string) (settings.SDKKey, []string, error) {
	if len(args) > 0 {
		if i := slices.IndexFunc(keys, func(k settings.SDKKey) bool { return k.Name != "" && k.Name == args[0] }); i >= 0 {
			return keys[i], args[1:], nil
		}
	}
	if len(keys) == 1 {
		return keys[0], args, nil
	}
	var names []string
	for _, k := range keys {
		if k.Name != "" {
			names = append(names, k.Name)
		}
	}
	return settings.SDKKey{}, nil, usagef("%d SDK keys are given: name one of them, before other arguments: %s", len(keys), strings.Join(names, ", "))
}

// changes returns how the config of Versions[i] differs from the one before. ok is false if that is
// not known.
func (h *openedHistory) changes(i int) (changes []evaluate.Change, ok bool, err error) {
	to, err := h.config(i)
	if err != nil || i+1 == len(h.Versions) {
		return nil, false, err
	}
	from, err := h.config(i + 1)
	if err != nil {
		return nil, false, err
	}
	return evaluate.Diff(from, to), true, nil
}

// config compiles the config of Versions[i].
func (h *openedHistory) config(i int) (*evaluate.Config, error) {
	json, err := h.Content(i)
	if err != nil {
		return nil, err
	}
	config, err := evaluate.Reparse(h.parsed, json)
	if err != nil {
		return nil, err
	}
	h.parsed = config
	return config, nil
}

// historyEntry is a version in the output of --json.
type historyEntry struct {
	Rev     int64             `json:"rev"`
	Hash    string            `json:"hash"`
	Time    *time.Time        `json:"time"`            // null: the history does not have it
	Cause   history.Cause     `json:"cause,omitempty"` // missing: likewise
	ETag    string            `json:"etag"`
	Size    int               `json:"size"`
	Leader  string            `json:"leader,omitempty"`
	Gap     history.Gap       `json:"gap,omitempty"`
	Changes []evaluate.Change `json:"changes"` // null: unknown
}

func newHistoryEntry(v history.Version) historyEntry {
	e := historyEntry{Rev: v.Rev, Hash: v.Hash, Cause: v.Cause, ETag: v.ETag, Size: v.Size, Leader: v.Leader, Gap: v.Gap}
	if v.Recorded() {
		e.Time = &v.Time
	}
	return e
}

func (f *historyFlags) run(cmd *cobra.Command, args []string) error {
	switch {
	case f.timeout <= 0:
		return usagef("--timeout: %v is not above zero", f.timeout)
	case f.limit < 0:
		return usagef("--limit: %d is negative", f.limit)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	h, rest, err := openHistory(ctx, cmd, &f.settings, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("no SDK key has the name that is given; catbridge config print lists the names")
	}
	if h.Malformed > 0 {
		if err := stderr(cmd).Linef("%d entries of the history are malformed, and left out", h.Malformed); err != nil {
			return err
		}
	}
	entries := []historyEntry{}
	for i := range h.Versions {
		if f.limit > 0 && len(entries) == f.limit || ctx.Err() != nil {
			break
		}
		changes, known, _ := h.changes(i) // the gap says why
		e := newHistoryEntry(h.Versions[i])
		if known {
			e.Changes = append([]evaluate.Change{}, changes...)
			if f.flag != "" {
				e.Changes = changesOf(f.flag, e.Changes)
			}
		}
		if f.flag != "" && len(e.Changes) == 0 {
			continue
		}
		if !f.json {
			if err := e.print(stdout(cmd)); err != nil {
				return err
			}
		}
		entries = append(entries, e)
	}
	if f.json {
		return stdout(cmd).JSON().Encode(struct {
			Entries []historyEntry `json:"entries"`
		}{entries})
	}
	if len(entries) == 0 {
		what := "no config yet"
		if f.flag != "" && len(h.Versions) > 0 {
			what = "no change of that flag is in the history"
		}
		return stderr(cmd).Linef("%s: %s", h.key.Label(), what)
	}
	return nil
}

// changesOf returns, of all changes between two configs, those of a flag, of the segments that it uses, and of its
// prerequisites of any depth.
func changesOf(flag string, all []evaluate.Change) []evaluate.Change {
	subjects := make([]words.Subject, len(all))
	for i := range all {
		subjects[i] = words.SubjectOf(&all[i])
	}
	concerns := words.Concerns(flag, subjects)
	some := []evaluate.Change{}
	for i, change := range all {
		if concerns[i] {
			some = append(some, change)
		}
	}
	return some
}

func (e *historyEntry) print(out *terminal.Output) error {
	head := terminal.Sprintf("%s", terminal.Paint(terminal.Bold, e.describe()))
	if e.Time != nil {
		head = terminal.Sprintf("%s  %s  by %s, %s", terminal.Paint(terminal.Bold, e.describe()), e.Cause, words.Leader(e.Leader), words.Size(e.Size))
	}
	if err := out.Linef("%s", head); err != nil {
		return err
	}
	for _, c := range e.Changes {
		for line := range strings.Lines(c.String()) {
			if err := out.Linef("    %s", strings.TrimSuffix(line, "\n")); err != nil {
				return err
			}
		}
	}
	switch why := words.Gap(e.Gap); {
	case why != "":
		return out.Linef("    %s the config before %s", unknown, why)
	case e.Changes != nil && len(e.Changes) == 0:
		return out.Linef("    %s", words.NoDifference)
	}
	return nil
}

// describe returns the time, the start of the hash and the rev.
func (e *historyEntry) describe() string {
	var at time.Time
	if e.Time != nil {
		at = *e.Time
	}
	return words.Version(e.Rev, e.Hash, at)
}
