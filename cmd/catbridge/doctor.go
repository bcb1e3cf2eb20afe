package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/doctor"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

const doctorLong = `doctor checks everything that the bridge depends on. For each check it prints the result and,
after a fault, what to do. Give it the settings of the process that fails.

  settings       flags, variables and file are valid
  SDK key        has the form of an SDK key
  redis network  the host name of Redis resolves, its port accepts connections, and TLS works
  redis login    user and password are right, and every node of a cluster is reachable
  redis server   Redis 7.0 or later, or Valkey; a primary; a cluster only if redis.mode says so
  redis memory   Redis does not evict the lock and the content
  redis clock    differs from this host's by less than 5 s
  rights         the Redis user has all rights that it needs; if not, what to grant
  dashboard      with ui: the Redis user may read all that the dashboard shows
  scripts        Lua scripts run
  state          there is a leader, its lock expires, the entry and the blob are the current
                 config, the CDN's last answer is recent, and no follower is behind
  messages       a message of the leader arrives; without a leader, a published test message
  fleets         the channel in use, fleets of the same SDK key in other databases of this
                 Redis, and leaders that publish on the wrong channel
  proxy          the proxy to the CDN accepts connections
  CDN            answers for each SDK key; its redirects and its clock

Each line starts with ✓ (ok), ✗ (a fault, with advice after an arrow) or – (unknown, or not
applicable). doctor changes nothing in Redis. With --as follower, or --as reporter for a
follower that reports to the fleet, it checks what a follower needs, and leaves out scripts,
proxy and CDN.

With --serve URL it checks only a running catbridge serve, from where the application runs and
through the proxies that are in front of it. It needs no Redis. Give it the base URL and the SDK
keys of the application; configcat-proxy/NAME.TOKEN is one, too.

  serve URL      has the form that all SDKs understand, without a path
  serve network  the host name resolves, the port accepts connections, and TLS works
  serve ready    there was a config for every SDK key of serve
  serve config   each SDK key receives a config that keeps SDKs at this base URL
  serve ETag     the answer is 304 if the SDK has the config
  serve gzip     the config is compressed for those that ask for it, and intact

Exit codes: 0 no faults; 1 at least one fault; 2 wrong usage. With --json it prints one
object with ok and findings; each finding has check, sdk_key, result (ok, fault, unknown),
found and advice.`

const doctorExample = `  catbridge doctor --config /etc/catbridge/catbridge.yaml
  CATBRIDGE_SDK_KEY=… catbridge doctor --redis redis://follower@localhost:6379 --as follower
  CATBRIDGE_SDK_KEY=… catbridge doctor --serve http://127.0.0.1:8093`

var roles = []string{string(doctor.Leader), string(doctor.Follower), string(doctor.Reporter)}

func newDoctor() *cobra.Command {
	var (
		f       settingsFlags
		as      string
		serve   string
		asJSON  bool
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check everything that the bridge depends on, and say what is wrong",
		Long:    doctorLong,
		Example: doctorExample,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if timeout <= 0 {
				return usagef("--timeout: %v is not above zero", timeout)
			}
			if !slices.Contains(roles, as) {
				return usagef("--as: %q is not one of %s", as, strings.Join(roles, ", "))
			}
			if cmd.Flags().Changed("serve") {
				if serve == "" || cmd.Flags().Changed("as") {
					return usagef("--serve: give the base URL of catbridge serve, and not --as")
				}
				f.OptionalRedis, f.AnySDKKey = true, true
			}
			p := &findings{out: stdout(cmd), json: asJSON, OK: true, List: []doctor.Finding{}}
			s, err := f.load(cmd)
			if err == nil {
				p.settings(s, serve != "")
				d := doctor.Doctor{Settings: s, As: doctor.Role(as), Serve: serve, Timeout: timeout, Tell: p.add}
				d.Examine(cmd.Context())
			} else if !p.faults(err) {
				return err
			}
			return p.end()
		},
	}
	f.add(cmd, settings.Leader)
	f.addName(cmd)
	cmd.Flags().StringVar(&as, "as", roles[0], "role to check for: `"+strings.Join(roles, "|")+"`; a reporter is a follower that reports to the fleet")
	complete(cmd, "as", roles...)
	cmd.Flags().StringVar(&serve, "serve", "", "base `URL` of a running catbridge serve: check only this, as an application reaches it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&timeout, "timeout", 12*time.Second, "timeout of each check, a `duration`; a leader sends a message every 3s")
	noCompletion(cmd, "serve", "timeout")
	return cmd
}

type findings struct {
	OK   bool             `json:"ok"`
	List []doctor.Finding `json:"findings"`

	out  *terminal.Output
	json bool
	err  error // of out
}

const checkSettings = "settings"

func (p *findings) settings(s *settings.Settings, keysOnly bool) {
	found := fmt.Sprintf("%d SDK key(s)", len(s.SDKKeys))
	if !keysOnly {
		found += fmt.Sprintf(", Redis %s at %s", s.Redis.Mode, s.RedisOptions.Address())
	}
	if s.File != "" {
		found += ", from " + s.File
	}
	p.add(doctor.Finding{Check: checkSettings, Result: doctor.Good, Found: found})
	for _, warning := range s.Warnings {
		p.add(doctor.Finding{Check: checkSettings, Result: doctor.Unknown, Found: warning})
	}
}

// faults adds the faults of the settings, and reports whether err contains any.
func (p *findings) faults(err error) bool {
	list, ok := errors.AsType[settings.Faults](err)
	for _, fault := range list {
		p.add(doctor.Finding{Check: checkSettings, Result: doctor.Bad, Found: fault.String()})
	}
	return ok
}

func (p *findings) add(f doctor.Finding) {
	p.OK = p.OK && f.Result != doctor.Bad
	p.List = append(p.List, f)
	if p.json {
		return
	}
	line := terminal.Sprintf("%s %s", marks[f.Result], f.Check)
	if f.Key != "" {
		line = terminal.Sprintf("%s %s", line, f.Key)
	}
	p.line("%s: %s", line, f.Found)
	if f.Advice != "" {
		p.line("  → %s", f.Advice)
	}
}

var marks = map[doctor.Result]terminal.Styled{doctor.Good: mark(true), doctor.Bad: mark(false), doctor.Unknown: unknown}

func (p *findings) line(format string, args ...any) {
	if err := p.out.Linef(format, args...); err != nil {
		p.err = err
	}
}

// end prints the JSON, and returns an error if there was a fault.
func (p *findings) end() error {
	if p.json {
		p.err = p.out.JSON().Encode(p)
	}
	if p.err == nil && !p.OK {
		count := 0
		for _, f := range p.List {
			if f.Result == doctor.Bad {
				count++
			}
		}
		return errFaults(count)
	}
	return p.err
}
