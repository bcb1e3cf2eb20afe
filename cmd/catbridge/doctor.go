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

const doctorLong = `doctor tries, one after the other, all that the bridge depends on, and says of each what
it found and what to do. Give it the settings of what does not work.

  settings       what was given is right, by flags, variables and file
  SDK key        its form
  redis network  the name of Redis is known here, its port accepts connections, TLS
  redis login    user and password are right, each node of a cluster can be reached
  redis server   Redis 7.0 or later, or Valkey; the primary; a cluster if it is said to be one
  redis memory   the lock and the content are not evicted
  redis clock    agrees with this host's, within 5 s
  rights         the user may do what it must, and if not, what to grant
  scripts        Lua scripts run
  state          somebody leads, the lock expires, what is current is consistent, entry and
                 blob are whole, the CDN's last answer is recent, followers are not behind
  messages       a message of the leader arrives; without leader, one that is published
  fleets         which channel is used, what other databases of this Redis hold for the same
                 SDK key, and that no leader there or here is on the wrong channel
  proxy          the one on the way to the CDN accepts connections
  CDN            answers for each SDK key, where it redirects to, and its clock

Each line begins with ✓ for what is right, ✗ for what is wrong, with what to do after
an arrow, and – for what is not known, or does not apply. It changes nothing in Redis.
With --as follower or --as reporter it tries what a follower needs, or one that reports
to the fleet, and leaves out scripts, proxy and CDN.

Exit codes: 0 nothing is wrong; 1 something is; 2 wrong usage. With --json it prints one
object: ok, and findings, each with check, sdk_key, result (ok, fault, unknown), found
and advice.`

const doctorExample = `  catbridge doctor --config /etc/catbridge/catbridge.yaml
  CATBRIDGE_SDK_KEY=… catbridge doctor --redis redis://follower@localhost:6379 --as follower`

var roles = []string{string(doctor.Leader), string(doctor.Follower), string(doctor.Reporter)}

func newDoctor() *cobra.Command {
	var (
		f       settingsFlags
		as      string
		asJSON  bool
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Try all that the bridge depends on, and say what is wrong",
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
			p := &findings{out: stdout(cmd), json: asJSON, OK: true, List: []doctor.Finding{}}
			s, err := f.load(cmd)
			if err == nil {
				p.settings(s)
				d := doctor.Doctor{Settings: s, As: doctor.Role(as), Timeout: timeout, Tell: p.add}
				d.Examine(cmd.Context())
			} else if !p.faults(err) {
				return err
			}
			return p.end()
		},
	}
	f.add(cmd, settings.Leader)
	f.addName(cmd)
	cmd.Flags().StringVar(&as, "as", roles[0], "for whom all is tried: `"+strings.Join(roles, "|")+"`; a reporter is a follower that reports to the fleet")
	complete(cmd, "as", roles...)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&timeout, "timeout", 12*time.Second, "most that one check may take, a `duration`; messages come every 3s")
	noCompletion(cmd, "timeout")
	return cmd
}

// findings are what the doctor found so far.
type findings struct {
	OK   bool             `json:"ok"`
	List []doctor.Finding `json:"findings"`

	out  *terminal.Output
	json bool
	err  error // of out
}

const checkSettings = "settings"

func (p *findings) settings(s *settings.Settings) {
	from := ""
	if s.File != "" {
		from = ", from " + s.File
	}
	p.add(doctor.Finding{Check: checkSettings, Result: doctor.Good, Found: fmt.Sprintf(
		"%d SDK key(s), Redis %s at %s%s", len(s.SDKKeys), s.Redis.Mode, s.RedisOptions.Address(), from)})
	for _, warning := range s.Warnings {
		p.add(doctor.Finding{Check: checkSettings, Result: doctor.Unknown, Found: warning})
	}
}

// faults tells of settings that are wrong, if that is what the error says.
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

// end tells whether anything was wrong.
func (p *findings) end() error {
	if p.json {
		p.err = p.out.JSON().Encode(p)
	}
	if p.err == nil && !p.OK {
		return errNotWell
	}
	return p.err
}
