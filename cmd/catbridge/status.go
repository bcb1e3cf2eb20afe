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

const statusLong = `status prints, for each SDK key, what the bridge keeps in Redis: who leads and since
when, how long its lock still lasts, the rev of the current config, how old the CDN's last
answer is, whether the entry for official SDKs and the blob for followers are that config,
how many subscribe, and what followers report of themselves:

  LEADER   the leader's host, or the end of its id where that names none
  LOCK     until the lock expires; renewals put that off
  CDN      age of the CDN's last answer, and the interval at which it is polled
  ENTRY    its size, or else missing, differs or malformed; BLOB likewise
  SUBS     connections that hear messages, summed over a cluster's nodes; each leader has one
  FLEET    followers that have the current config, of those that report; they do only where
           they are set up to

A line above the table names the database, unless it is 0, and the namespace, if there is one.
Below the table stand, one a line, what is wrong (✗), the followers that are furthest
behind (↓), and what is unknown (–), for instance because a right in Redis is missing. Names that
are too long for the terminal, or for 100 characters elsewhere, are cut. It only
reads: GETRANGE (or GET), HMGET, PTTL, TIME, PUBSUB NUMSUB and ZRANGE.

Exit codes: 0 all is well; 1 something is wrong: nobody leads, the CDN's answer is older
than a poll and 15 s, entry or blob is not the current config, a follower reported other
content more than 30 s after it changed, or Redis does not answer; 2 wrong usage. What is
not known is no fault. With --watch it runs until it gets SIGINT or SIGTERM, then exits with 0.

With --json it prints an object a line: time, redis, db (the number of the database), ok,
keys and, where there is one, namespace, and, if Redis cannot be read, error. Each of keys has name, ok, faults, remarks, leader, content, entry, blob, subscribers
and fleet; what is null is not known. Times are by Redis's clock.`

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
		Short:   "Print who leads, what is current, and who follows",
		Long:    statusLong,
		Example: statusExample,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.settings.AnySDKKey = true // nothing is fetched here
	f.settings.add(cmd, settings.SDKKeys|settings.Redis)
	f.settings.addName(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print JSON, one object a line")
	flags.BoolVar(&f.watch, "watch", false, "go on, and print anew every --interval")
	flags.DurationVar(&f.interval, "interval", 2*time.Second, "`duration` between two looks with --watch, at least 100ms")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "most that a look may take, a `duration`")
	flags.IntVar(&f.top, "top", 5, "`number` of followers to name for each SDK key, of those that are behind")
	noCompletion(cmd, "interval", "timeout", "top")
	return cmd
}

// errNotWell is what a status that printed what is wrong ends with.
var errNotWell = errors.New("something is wrong")

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

// status is a series of looks at all SDK keys.
type status struct {
	where   inspect.Redis
	redis   redisurl.Options
	keys    []settings.SDKKey
	out     *terminal.Output
	json    bool
	clear   bool // the terminal before each look
	timeout time.Duration
}

// statusReport is one look.
type statusReport struct {
	Time      time.Time     `json:"time"`
	Redis     string        `json:"redis"`
	DB        int           `json:"db"`
	Namespace string        `json:"namespace,omitempty"`
	OK        bool          `json:"ok"`
	Error     string        `json:"error,omitempty"` // Redis cannot be read; keys are those before
	Keys      []inspect.Key `json:"keys"`
}

func (r statusReport) problem() error {
	switch {
	case r.Error != "":
		return errors.New(r.Error)
	case !r.OK:
		return errNotWell
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
			report.OK, report.Error = false, fmt.Sprintf("Redis at %s cannot be read: %v; catbridge doctor tells why", s.redis.Address(), redisurl.Explain(err))
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

// fits is how wide the table is at most, where no terminal says otherwise.
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
