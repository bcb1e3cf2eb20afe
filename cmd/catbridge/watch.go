package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

const watchLong = `watch runs a follower and prints the value of every flag, and then each change with its time
and the rev of the config. It also prints the state of the follower:

  connecting    the first connection is in progress
  live          subscribed, and receiving messages of a leader
  no_leader     subscribed, but receiving no messages of a leader
  polling       Redis rejects the subscription; the follower polls Redis instead
  disconnected  Redis is unreachable, or refuses the login; the follower keeps its values

It prints, too, when a control of an operator (pin or force) is in force and when it is no longer.

With --json each line is an object with time and event (state, control, config or change). The
event state has state, and control has control, which is 0 if no control is in force; the others
have rev, hash, etag, source, and values or changes. A value is null if its evaluation fails.

It runs until it receives SIGINT or SIGTERM. With --once it exits after the first config. It
then exits with 1 if no config arrives within --timeout, or if the config lacks a flag that
--flag names.`

const watchExample = `  CATBRIDGE_SDK_KEY=… catbridge watch --redis redis://localhost:6379
  catbridge watch --sdk-key-file key --redis redis://localhost:6379 --flag newCheckout \
    --user '{"Identifier": "42", "Email": "ann@example.com", "Country": "UK", "Plan": "pro"}'
  catbridge watch --sdk-key-file key --redis redis://localhost:6379 --once --json`

type watchFlags struct {
	settings settingsFlags
	flags    []string
	user     string
	json     bool
	once     bool
	timeout  time.Duration

	fleetReport time.Duration
	fleetName   string
}

func newWatch() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:     "watch",
		Short:   "Run a follower, and print flag values and changes",
		Long:    watchLong,
		Example: watchExample,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.settings.Level = "error"
	f.settings.add(cmd, settings.SDKKeys|settings.BaseURL|settings.Redis|settings.Profile|settings.LogOutput)
	f.settings.addName(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.flags, "flag", nil, "`key` of a flag to print; may be repeated (default: all)")
	flags.StringVar(&f.user, "user", "", "user to evaluate for, a `JSON` object of attributes: strings, numbers and lists of strings (default: no user)")
	flags.BoolVar(&f.json, "json", false, "print JSON, one object per line")
	flags.BoolVar(&f.once, "once", false, "print the values and exit; exit code 1 if no config arrives within --timeout")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "timeout of --once, a `duration`")
	flags.DurationVar(&f.fleetReport, "fleet-report", 0, "`duration` between two reports of this follower to the fleet, which catbridge status counts, 5s to 5m; 0: no reports")
	flags.StringVar(&f.fleetName, "fleet-name", "", "`name` in those reports (default: the host name)")
	noCompletion(cmd, "flag", "user", "timeout", "fleet-report", "fleet-name")
	return cmd
}

func (f *watchFlags) run(cmd *cobra.Command) error {
	s, err := f.settings.one(cmd)
	if err != nil {
		return err
	}
	user, err := parseUser(f.user)
	if err != nil {
		return usagef("--user: %v", err)
	}
	if f.timeout <= 0 {
		return usagef("--timeout: %v is not above zero", f.timeout)
	}
	client := s.RedisOptions.Client()
	defer client.Close()

	w := &watch{redis: client, out: newReport(stdout(cmd), f.json), hints: stderr(cmd), flags: f.flags, user: user, changed: make(chan struct{}, 1)}
	cfg := follower.Config{
		SDKKey: s.SDKKeys[0].Key, BaseURL: s.SDKKeys[0].BaseURL, Redis: client, Namespace: s.RedisOptions.Namespace(), Logger: newLogger(s.Log, stderr(cmd)), LogLevel: follower.LogLevelDebug, // --log-level decides
		FleetReport: f.fleetReport, FleetName: f.fleetName,
		Hooks: &follower.Hooks{OnConfigChanged: func(*evaluate.Config) { w.signal() }},
	}
	if s.Fast() {
		cfg.Timings = follower.FastTimings()
	}
	if w.follower, err = follower.New(cfg); err != nil {
		return &usageError{err}
	}
	defer w.follower.Close()
	if f.once {
		return w.once(cmd.Context(), f.timeout)
	}
	return w.run(cmd.Context())
}

type watch struct {
	redis    redis.UniversalClient
	follower *follower.Client
	out      *report
	hints    *terminal.Output
	flags    []string // those to print; none: all
	user     any
	changed  chan struct{}

	state   follower.State
	control int64  // the last one printed
	hash    string // of the content printed last; empty: none yet
	last    answers.Set
}

func (w *watch) signal() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

const stateEvery = 100 * time.Millisecond

// hintAfter is when a watch without a config prints a likely reason.
const hintAfter = 3 * time.Second

func (w *watch) run(ctx context.Context) error {
	ticker := time.NewTicker(stateEvery)
	defer ticker.Stop()
	waited := time.NewTimer(hintAfter)
	defer waited.Stop()
	for {
		if err := w.look(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-waited.C:
			if w.hash == "" {
				if err := w.hints.Linef("catbridge watch: no config yet: %s", w.why(ctx)); err != nil {
					return err
				}
			}
		case <-w.changed:
		case <-ticker.C:
		}
	}
}

func (w *watch) once(ctx context.Context, timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errors.New("interrupted before the first config")
	case <-timer.C:
		return fmt.Errorf("no config within %v (--timeout): %s", timeout, w.why(ctx))
	case <-w.changed:
		if err := w.look(); err != nil {
			return err
		}
		return w.absent()
	}
}

// askWithin bounds the question why there is no connection to Redis.
const askWithin = time.Second

func (w *watch) why(ctx context.Context) string {
	switch w.follower.Stats().State {
	case follower.StateDisconnected, follower.StateConnecting:
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		switch err := w.redis.Ping(ctx).Err(); {
		case redis.IsAuthError(err):
			return fmt.Sprintf("Redis refuses the login: %v; run catbridge doctor", redisurl.Explain(err))
		case err != nil && !redis.IsPermissionError(err):
			return fmt.Sprintf("Redis is unreachable: %v; run catbridge doctor", redisurl.Explain(err))
		}
		return "still connecting to Redis; run catbridge doctor"
	case follower.StateNoLeader:
		return "no leader: check with catbridge status that a leader runs for this SDK key"
	case follower.StatePolling:
		return "Redis rejects the subscription, and has no config: see catbridge status"
	default:
		return "connected, but Redis has no config: see catbridge status"
	}
}

// absent returns an error that names the requested flags that do not exist, or nil.
func (w *watch) absent() error {
	var missing []string
	keys := w.follower.GetAllKeys()
	for _, key := range w.flags {
		if !slices.Contains(keys, key) {
			text := strconv.Quote(key)
			if near := settings.Nearest(key, keys, 1+len(key)/3); near != "" {
				text += fmt.Sprintf(" (did you mean %q?)", near)
			}
			missing = append(missing, text)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("--flag: the config of %d flags has no flag %s", len(keys), strings.Join(missing, ", "))
}

// look prints the differences to the last output.
func (w *watch) look() error {
	stats, keys, values := w.consistent()
	if stats.State != w.state {
		w.state = stats.State
		if err := w.out.state(stats.State); err != nil {
			return err
		}
	}
	if stats.Control != w.control {
		w.control = stats.Control
		if err := w.out.control(stats.Control); err != nil {
			return err
		}
	}
	if stats.Hash == w.hash {
		return nil
	}
	keys, values = w.chosen(keys, values)
	var err error
	if w.hash == "" {
		err = w.out.config(stats, keys, values)
	} else {
		err = w.out.change(stats, answers.Diff(w.last, values, keys))
	}
	w.hash, w.last = stats.Hash, values
	return err
}

// consistent reads the values and the stats of the same content, again if it changes in between.
func (w *watch) consistent() (follower.Stats, []string, answers.Set) {
	for {
		before := w.follower.Stats()
		if before.Hash == "" || before.Hash == w.hash {
			return before, nil, nil
		}
		keys, values := w.follower.GetAllKeys(), w.follower.GetAllValues(w.user)
		if after := w.follower.Stats(); after.Hash == before.Hash {
			return after, keys, values
		}
	}
}

func (w *watch) chosen(keys []string, values answers.Set) ([]string, answers.Set) {
	if w.flags == nil {
		return keys, values
	}
	chosen := make(answers.Set, len(w.flags))
	for _, key := range w.flags {
		if value, ok := values[key]; ok {
			chosen[key] = value
		}
	}
	return w.flags, chosen
}
