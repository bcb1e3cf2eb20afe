package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

const statusLong = `status prints the state of the bridge in Redis, a line for each SDK key:

  NAME     the name of the SDK key
  LEADER   the leader's host, or the end of its ID if that names no host
  SINCE    how long it has been leading
  LOCK     time until the lock expires, unless the leader renews it
  REV      the rev of the current config, in Unix milliseconds: when it was fetched, or
           when the CDN last confirmed it without a change
  CDN      age of the CDN's last answer / interval at which the leader polls it
  ENTRY    size of the entry for official SDKs, or missing, differs or malformed
  BLOB     the same for the blob that followers read
  SUBS     connections that receive messages, including one of each leader; in a cluster,
           of all nodes
  FLEET    followers with the current config, of those that report to the fleet

A line above the table names the database, unless it is 0, and the namespace, if there is one.
Lines below the table report faults (✗), what operators have pinned and forced (!), the
followers that are furthest behind (↓), and what is unknown (–), for example because the Redis
user lacks a right. Names that do not fit the width of the terminal, or 100 characters
elsewhere, are shortened. status only reads: it sends GETRANGE (or GET), HMGET, PTTL, TIME,
XREVRANGE, PUBSUB NUMSUB and ZRANGE.

Exit codes: 0 no faults; 1 a fault: there is no leader, the CDN's last answer is older than
the poll interval and 15 s, the entry or the blob is not the current config, a follower
reported an old config more than 30 s after a change, or Redis does not answer; 2 wrong
usage. Unknown values are not faults. With --watch it runs until it receives SIGINT or
SIGTERM, and then exits with 0.

With --json it prints an object per line: time, redis (its address), db (the number of the
database), namespace (if there is one), ok, keys, and error if Redis cannot be read. Each
element of keys has name, ok, faults, remarks, leader, content, entry, blob, patches, history,
control (null if nothing is in force), subscribers and fleet. A value that is null is unknown.
Times are by Redis's clock.`

const statusExample = `  catbridge status --sdk-key-file keys --redis redis://localhost:6379
  catbridge status --config catbridge.yaml --watch
  catbridge status --sdk-key-file keys --redis redis://localhost:6379 --json | jq '.keys[].fleet'`

type statusFlags struct {
	settings settingsFlags
	json     bool
	watch    bool
	interval time.Duration
	timeout  time.Duration
	top      int
}

func newStatus() *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Print the leader, the current config and the followers of each SDK key",
		Long:    statusLong,
		Example: statusExample,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.settings.AnySDKKey = true // status fetches nothing
	f.settings.add(cmd, settings.SDKKeys|settings.Redis)
	f.settings.addName(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print JSON, one object per line")
	flags.BoolVar(&f.watch, "watch", false, "print again every --interval until interrupted")
	flags.DurationVar(&f.interval, "interval", 2*time.Second, "`duration` between two outputs of --watch, at least 100ms")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "timeout for reading the state, a `duration`")
	flags.IntVar(&f.top, "top", 5, "maximum `number` of followers that are behind to list for each SDK key")
	noCompletion(cmd, "interval", "timeout", "top")
	return cmd
}

// errFaults is the error of a command that has printed that many faults.
func errFaults(count int) error {
	if count == 1 {
		return errors.New("1 fault, see above")
	}
	return fmt.Errorf("%d faults, see above", count)
}

func (f *statusFlags) run(cmd *cobra.Command) error {
	given, err := f.settings.load(cmd)
	if err != nil {
		return err
	}
	switch {
	case f.timeout <= 0:
		return usagef("--timeout: %v is not above zero", f.timeout)
	case f.interval < 100*time.Millisecond:
		return usagef("--interval: %v is below 100ms", f.interval)
	case f.top < 0:
		return usagef("--top: %d is negative", f.top)
	}
	client := given.RedisOptions.Client()
	defer client.Close()
	s := &status{
		where: inspect.Redis{Client: client, Most: f.top}, redis: given.RedisOptions, keys: given.SDKKeys,
		out: stdout(cmd), json: f.json, timeout: f.timeout,
	}
	if !f.watch {
		report := s.look(cmd.Context())
		if err := s.print(report); err != nil {
			return err
		}
		return report.problem()
	}
	s.clear = !f.json && s.out.Terminal()
	return s.watch(cmd.Context(), f.interval)
}

type status struct {
	where   inspect.Redis
	redis   redisurl.Options
	keys    []settings.SDKKey
	out     *terminal.Output
	json    bool
	clear   bool // clear the terminal before each output
	timeout time.Duration
}

type statusReport struct {
	Time      time.Time     `json:"time"`
	Redis     string        `json:"redis"`
	DB        int           `json:"db"`
	Namespace string        `json:"namespace,omitempty"`
	OK        bool          `json:"ok"`
	Error     string        `json:"error,omitempty"` // Redis cannot be read; Keys are those read before
	Keys      []inspect.Key `json:"keys"`
}

func (r statusReport) problem() error {
	switch {
	case r.Error != "":
		return errors.New(r.Error)
	case !r.OK:
		count := 0
		for _, key := range r.Keys {
			count += len(key.Faults)
		}
		return errFaults(count)
	}
	return nil
}

func (s *status) look(ctx context.Context) statusReport {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	report := statusReport{Time: time.Now().UTC(), Redis: s.redis.Address(), DB: s.redis.DB(), Namespace: s.redis.Namespace(), OK: true, Keys: []inspect.Key{}}
	for _, k := range s.keys {
		key, err := s.where.Look(ctx, k.Label(), s.redis.Keys(k.Key))
		if err != nil {
			report.OK, report.Error = false, fmt.Sprintf("Redis at %s cannot be read: %v; run catbridge doctor", s.redis.Address(), redisurl.Explain(err))
			break
		}
		report.OK = report.OK && key.OK
		report.Keys = append(report.Keys, key)
	}
	return report
}

func (s *status) print(report statusReport) error {
	if s.json {
		return s.out.JSON().Encode(report)
	}
	if s.clear {
		if err := s.out.Control("\x1b[H\x1b[2J"); err != nil {
			return err
		}
	}
	var text strings.Builder
	for _, line := range statusText(report, s.width()) {
		text.WriteString(string(line) + "\n")
	}
	_, err := io.WriteString(s.out, text.String())
	return err
}

// fits is the maximum width of the table if the output is not a terminal.
const fits = 100

func (s *status) width() int {
	if width := terminal.Width(s.out); width > 0 {
		return width
	}
	return fits
}

func (s *status) watch(ctx context.Context, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		report := s.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := s.print(report); err != nil {
			return err
		}
		if !s.json {
			if report.Error != "" {
				if err := s.out.Linef("%s %s", mark(false), report.Error); err != nil {
					return err
				}
			}
			if err := s.out.Linef(""); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
