package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/leader/control"
)

// orderLong ends the help of the commands that put something in force.
const orderLong = `
The command prints flag by flag what changes, and asks. With --yes it does not ask; that is
required where standard input is not a terminal. --for is at most 168h (7 days), by Redis's
clock. The reason and --by are shown by catbridge controls and catbridge status.

` + controlLong

// controlLong ends the help of all commands that change what is in force.
const controlLong = `Nothing is written if another operator changes something meanwhile: the command then shows
that and asks again, or fails if --yes is given. It waits until the leader has acted, but at
most for --timeout. Without a leader the next one acts. The Redis user is controller in
deploy/acl.

Exit codes: 0 the leader has acted; 1 it has not acted yet, nothing was written, or Redis does
not answer; 2 wrong usage.`

// controlFlags are the flags of the commands that change what is in force.
type controlFlags struct {
	settings settingsFlags
	lasts    time.Duration
	reason   string
	by       string
	yes      bool
	timeout  time.Duration
}

// add adds the flags. orders reports whether the command puts something in force.
func (f *controlFlags) add(cmd *cobra.Command, orders bool) {
	f.settings.AnySDKKey = true // the leader fetches
	f.settings.add(cmd, settings.SDKKeys|settings.BaseURL|settings.Redis)
	flags := cmd.Flags()
	if orders {
		flags.DurationVar(&f.lasts, "for", 0, "how long it is in force, a `duration` of at most 168h (required)")
		flags.StringVar(&f.reason, "reason", "", "why, a `text` of at most 200 bytes (required)")
		flags.StringVar(&f.by, "by", "", "who orders it, a `text` of at most 64 bytes (default user@host)")
		noCompletion(cmd, "for", "reason", "by")
	}
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "timeout of reading, and of writing and waiting for the leader, a `duration`")
	noCompletion(cmd, "timeout")
}

// order returns the order of the flags. Its errors name them.
func (f *controlFlags) order() (control.Order, error) {
	by := f.by
	if by == "" {
		by = userAtHost()
	}
	o := control.Order{By: by, Reason: f.reason, For: f.lasts}
	if f.timeout <= 0 {
		return o, usagef("--timeout: %v is not above zero", f.timeout)
	}
	if fault := orders.Check(o); fault != nil {
		return o, usagef("--%s: %w", fault.Part, fault)
	}
	return o, nil
}

// userAtHost returns who runs the command, in at most MaxByBytes bytes.
func userAtHost() string {
	name := os.Getenv("USER")
	if current, err := user.Current(); err == nil {
		name = current.Username
	}
	if name == "" {
		name = "unknown"
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	by := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name+"@"+host)
	for len(by) > control.MaxByBytes {
		_, size := utf8.DecodeLastRuneInString(by)
		by = by[:len(by)-size]
	}
	return by
}

// controller changes what is in force for one SDK key.
type controller struct {
	cmd    *cobra.Command
	flags  *controlFlags
	given  *settings.Settings
	key    settings.SDKKey
	client redis.UniversalClient
	stdin  *bufio.Reader
}

// open reads the settings and selects the SDK key. least and most bound the number of the arguments
// after the name, which are returned.
func (f *controlFlags) open(cmd *cobra.Command, args []string, least, most int) (*controller, []string, error) {
	s, err := f.settings.load(cmd)
	if err != nil {
		return nil, nil, err
	}
	if f.timeout <= 0 {
		return nil, nil, usagef("--timeout: %v is not above zero", f.timeout)
	}
	var key settings.SDKKey
	rest := args
	if len(s.SDKKeys) == 1 && least == most && len(args) == most {
		key = s.SDKKeys[0] // the first argument is not a name, even if it is equal to one
	} else if key, rest, err = selectKey(s.SDKKeys, args); err != nil {
		return nil, nil, err
	}
	switch {
	case len(rest) < least:
		return nil, nil, usagef("arguments are missing: see '%s --help'", cmd.CommandPath())
	case len(rest) > most:
		return nil, nil, usagef("no SDK key has the name that is given; catbridge config print lists the names")
	}
	c := &controller{cmd: cmd, flags: f, given: s, key: key, client: s.RedisOptions.LeaderClient(nil), stdin: bufio.NewReader(cmd.InOrStdin())}
	return c, rest, nil
}

func (c *controller) close() { _ = c.client.Close() }

// read reads what is in force.
func (c *controller) read() (*control.Controls, error) {
	ctx, cancel := context.WithTimeout(c.cmd.Context(), c.flags.timeout)
	defer cancel()
	controls, err := control.Read(ctx, c.client, c.key.Key, c.given.RedisOptions.Namespace())
	if err != nil {
		return nil, controlError(c.key, err)
	}
	return controls, nil
}

// controlError adds what to do.
func controlError(key settings.SDKKey, err error) error {
	return fmt.Errorf("%s: %w", key.Label(), orders.Explain(err))
}

// warnOfSDKs warns if an official SDK that is not offline has overwritten the entry recently.
func (c *controller) warnOfSDKs(controls *control.Controls) error {
	text := orders.OnlineSDK(controls)
	if text == "" {
		return nil
	}
	return stderr(c.cmd).Linef("%s %s", terminal.Paint(terminal.Yellow, "warning:"), text)
}

// plan is what a command wants to change.
type plan struct {
	what   string // in words, for the question
	change func(*control.Controls) (*control.Change, error)
	orders bool // it puts something in force
}

// change shows what the plan changes, asks, writes it, and waits for the leader.
func (c *controller) change(p plan) error {
	for {
		controls, err := c.read()
		if err != nil {
			return err
		}
		change, err := p.change(controls)
		if err != nil {
			return c.refused(err)
		}
		if err := c.show(controls, change); err != nil {
			return err
		}
		if p.orders {
			if err := c.warnOfSDKs(controls); err != nil {
				return err
			}
		}
		if !c.flags.yes {
			if agreed, err := c.ask(p.what); err != nil || !agreed {
				return err
			}
		}
		err = c.apply(change)
		if !errors.Is(err, control.ErrConflict) || c.flags.yes {
			return err
		}
		if err := c.conflict(); err != nil {
			return err
		}
	}
}

// refused returns the error of a change that is impossible. It is not one of Redis.
func (c *controller) refused(err error) error {
	if usage, ok := errors.AsType[*usageError](err); ok {
		return usage
	}
	return fmt.Errorf("%s: %w", c.key.Label(), err)
}

// show prints how the change changes the config.
func (c *controller) show(controls *control.Controls, change *control.Change) error {
	lines, err := orders.Preview(controls, change)
	if err != nil {
		return err
	}
	for _, line := range lines {
		text := terminal.Sprintf("%s", line.Text)
		if line.Unknown {
			text = terminal.Sprintf("%s %s", unknown, line.Text)
		}
		if err := stdout(c.cmd).Linef("%s", text); err != nil {
			return err
		}
	}
	return nil
}

// ask asks whether to write the change.
func (c *controller) ask(what string) (agreed bool, err error) {
	if !terminal.Is(c.cmd.InOrStdin()) {
		return false, usagef("nothing was written: standard input is not a terminal; give --yes to %s without a question", what)
	}
	errs := stderr(c.cmd)
	if _, err := errs.Write([]byte(terminal.Sprintf("%s: %s? [y/N] ", c.key.Label(), what))); err != nil {
		return false, err
	}
	answer := make(chan string, 1)
	go func() {
		line, _ := c.stdin.ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-c.cmd.Context().Done():
		return false, errors.New("interrupted; nothing was written")
	case line := <-answer:
		if line == "y" || line == "yes" {
			return true, nil
		}
	}
	return false, errors.New("nothing was written")
}

// conflict prints what another operator has put in force meanwhile.
func (c *controller) conflict() error {
	errs := stderr(c.cmd)
	if err := errs.Linef("%s %s", terminal.Paint(terminal.Yellow, "!"), orders.Conflict); err != nil {
		return err
	}
	controls, err := c.read()
	if err != nil {
		return err
	}
	for _, line := range controlLines(c.key.Label(), controls) {
		if err := errs.Linef("%s", line); err != nil {
			return err
		}
	}
	return nil
}

// apply writes the change, and waits for the leader.
func (c *controller) apply(change *control.Change) error {
	ctx, cancel := context.WithTimeout(c.cmd.Context(), c.flags.timeout)
	defer cancel()
	if err := change.Apply(ctx); err != nil {
		if errors.Is(err, control.ErrConflict) {
			return fmt.Errorf("%s: %w; nothing was written: see catbridge controls, and try again", c.key.Label(), control.ErrConflict)
		}
		return controlError(c.key, err)
	}
	began := time.Now()
	if err := orders.Awaited(change.Await(ctx), fmt.Sprintf("%v (--timeout)", c.flags.timeout)); err != nil {
		return fmt.Errorf("%s: %w", c.key.Label(), err)
	}
	return stdout(c.cmd).Linef("%s: done; the leader acted within %v", c.key.Label(), time.Since(began).Round(time.Millisecond))
}
