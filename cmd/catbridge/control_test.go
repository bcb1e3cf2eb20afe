package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	state "github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/aclfile"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/control"
)

// controlled is a Redis whose leader a test runs by hand.
type controlled struct {
	*testing.T
	server *redistest.Process
	client *redis.Client
	keys   cachekeys.Keys
	rev    int64
}

func controlConfig(text string, limit int) []byte {
	return fmt.Appendf(nil, `{"f":{"text":{"t":1,"v":{"s":%q}},"limit":{"t":2,"v":{"i":%d}},"on":{"t":0,"v":{"b":true}}}}`, text, limit)
}

func newControlled(t *testing.T) *controlled {
	server := redistest.Start(t)
	c := &controlled{T: t, server: server, client: server.Client(t, nil), keys: cachekeys.For(testKey, "", 0), rev: wire.MinRev}
	c.publish(controlConfig("one", 1), 0)
	t.Setenv("CATBRIDGE_REDIS_URL", server.URL())
	t.Setenv("CATBRIDGE_SDK_KEY", "main="+testKey)
	return c
}

// publish makes a config current, made with the control with that seq.
func (c *controlled) publish(json []byte, seq int64) {
	c.Helper()
	c.rev++
	blob := wire.Blob{Rev: c.rev, Hash: wire.ContentHash(json), Codec: wire.Raw, Payload: json}
	control := ""
	if seq != 0 {
		control = fmt.Sprint(seq)
	}
	c.client.Set(c.Context(), c.keys.Blob, blob.Append(nil), 0)
	c.client.HSet(c.Context(), c.keys.Meta, "epoch", c.rev, "proto", fmt.Sprintf("1 %d", c.rev), "rev", c.rev, "hash", blob.Hash,
		"len", len(json), "etag", "e", "control", control)
}

// act starts a leader that acts on each control. Its config stays.
func (c *controlled) act() {
	c.Helper()
	c.client.Set(c.Context(), c.keys.Lock, wire.LockValue("leader", c.rev), 0)
	sub := c.client.Subscribe(c.Context(), c.keys.Events)
	if _, err := sub.Receive(c.Context()); err != nil {
		c.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range sub.Channel() {
			control, err := state.Parse([]byte(c.client.Get(context.Background(), c.keys.Control).Val()))
			if err == nil && control.Empty() {
				c.client.HSet(context.Background(), c.keys.Meta, "control", "")
			} else if err == nil {
				c.client.HSet(context.Background(), c.keys.Meta, "control", control.Seq)
			}
		}
	}()
	c.Cleanup(func() {
		sub.Close()
		<-done
	})
}

// run runs a command without a terminal.
func (c *controlled) run(want int, args ...string) (stdout, stderr string) {
	c.Helper()
	var out, errs strings.Builder
	if code := run(c.Context(), args, strings.NewReader("y\n"), &out, &errs); code != want {
		c.Errorf("%q: exit %d, want %d\n%s%s", args, code, want, out.String(), errs.String())
	}
	if strings.Contains(out.String()+errs.String(), "secretsecret") {
		c.Errorf("%q shows an SDK key: %s%s", args, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// stored returns the control in Redis, or nil.
func (c *controlled) stored() *state.Control {
	control, err := state.Parse([]byte(c.client.Get(context.Background(), c.keys.Control).Val()))
	if err != nil {
		return nil
	}
	return control
}

func (c *controlled) matches(text, pattern string) {
	c.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		c.Errorf("%q\ndoes not match %q", text, pattern)
	}
}

func ordered(args ...string) []string {
	return append(args, "--for", "30m", "--reason", "checkout fails", "--by", "me@host", "--yes")
}

func TestOperatorsForceAndPinAndWithdraw(t *testing.T) {
	c := newControlled(t)
	c.act()
	out, _ := c.run(exitOK, ordered("pin")...)
	c.matches(out, `no flag evaluates differently now\n\S+ the config stays as it is, so the history gets no entry`)
	c.run(exitOK, "unpin", "--yes")
	out, _ = c.run(exitOK, "controls")
	c.matches(out, `^main: nothing is in force\n$`)
	out, _ = c.run(exitOK, ordered("force", "on", "false")...)
	c.matches(out, `^on: default value changed: false \(was true\)\nmain: done; the leader acted within \S+\n$`)
	out, _ = c.run(exitOK, "controls")
	c.matches(out, `^main: forced on to false until 20\S+Z by me@host: checkout fails\n$`)
	out, _ = c.run(exitOK, ordered("force", "main", "limit", "-5")...)
	c.matches(out, `limit: default value changed: -5 \(was 1\)`)
	if f := c.stored().Forced; len(f) != 2 || f[0].Flag != "limit" || f[0].Value.Int() != -5 || f[1].Until-f[1].Since != 30*60_000 {
		t.Errorf("stored %+v", f)
	}

	out, _ = c.run(exitOK, ordered("pin")...)
	c.matches(out, `^flags that stay forced: limit, on\n`)
	if p := c.stored().Pin; p == nil || p.Rev != c.rev || p.Hash != wire.ContentHash(controlConfig("one", 1)) || p.Reason != "checkout fails" {
		t.Errorf("stored %+v", p)
	}
	file := filepath.Join(t.TempDir(), "two.json")
	if err := os.WriteFile(file, controlConfig("two", 7), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = c.run(exitOK, ordered("pin", "main", file)...)
	c.matches(out, `it replaces the pin [0-9a-f]{8}, rev \d+, until 20\S+Z by me@host: checkout fails\n`)
	c.matches(out, `text: default value changed: "two" \(was "one"\)`)
	out, _ = c.run(exitOK, "controls", "main", "--json")
	var report struct {
		Name    string
		Applied bool
		Pin     struct{ Hash, By, Reason, Since, Until string }
		Forced  []struct {
			Flag  string
			Value any
			By    string
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Name != "main" || !report.Applied || report.Pin.Hash != wire.ContentHash(controlConfig("two", 7)) ||
		len(report.Forced) != 2 || report.Forced[0].Value != float64(-5) || report.Forced[1].By != "me@host" || report.Pin.Until <= report.Pin.Since {
		t.Errorf("%s: %+v, %v", out, report, err)
	}

	out, _ = c.run(exitFailure, "status") // there is no entry
	c.matches(out, `! main: pinned [0-9a-f]{8} until 20\S+Z by me@host: checkout fails\n! main: forced limit to -5 until `)
	out, _ = c.run(exitOK, "unforce", "limit", "--yes")
	c.matches(out, `done; the leader acted`)
	c.run(exitOK, "unforce", "main", "on", "--yes")
	c.run(exitOK, "unpin", "--yes")
	out, _ = c.run(exitOK, "controls")
	c.matches(out, `^main: nothing is in force\n$`)
	_, errs := c.run(exitFailure, "unpin", "--yes")
	c.matches(errs, `main: control: pin: not in force`)
	_, errs = c.run(exitFailure, "unforce", "on", "--yes")
	c.matches(errs, `main: no flag with that key is forced: not in force`)
}

// The error says how many are forced, and what to withdraw: doctor finds nothing.
func TestOneFlagTooManyNamesOneToWithdraw(t *testing.T) {
	c := newControlled(t)
	var flags []string
	for i := range control.MaxForced + 1 {
		flags = append(flags, fmt.Sprintf(`"f%02d":{"t":0,"v":{"b":true}}`, i))
	}
	c.publish(fmt.Appendf(nil, `{"f":{%s}}`, strings.Join(flags, ",")), 0)
	for i := range control.MaxForced {
		controls, err := control.Read(t.Context(), c.client, testKey, "")
		if err != nil {
			t.Fatal(err)
		}
		lasts := time.Hour
		if i == 7 {
			lasts = time.Minute
		}
		change, err := controls.Force(fmt.Sprintf("f%02d", i), evaluate.BoolValue(false), control.Order{By: "ada", Reason: "drill", For: lasts})
		if err == nil {
			err = change.Apply(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	before := c.client.Get(t.Context(), c.keys.Control).Val()
	_, errs := c.run(exitFailure, ordered("force", "f32", "false")...)
	c.matches(errs, `main: 32 flags are forced, and more are not possible: withdraw one first, such as "f07", which ends before the others, at 20\S+Z: use catbridge unforce; catbridge controls lists all`)
	if strings.Contains(errs, "doctor") || c.client.Get(t.Context(), c.keys.Control).Val() != before {
		t.Errorf("%s", errs)
	}
	_, errs = c.run(exitFailure, ordered("force", "f07", "false")...) // again
	c.matches(errs, `written, but there is no leader`)
}

// A pin of the history: any config that was in force.
func TestAnEarlierConfigIsPinned(t *testing.T) {
	c := newControlled(t)
	c.act()
	was, is := controlConfig("one", 1), controlConfig("two", 1)
	first := c.rev
	c.client.Do(t.Context(), "XADD", c.keys.History, "*", "rev", first, "time", first, "hash", wire.ContentHash(was), "etag", "e", "cause", "first",
		"leader", "l", "size", len(was), "from", "", "fromsize", "", "back", "")
	c.publish(is, 0)
	c.client.Do(t.Context(), "XADD", c.keys.History, "*", "rev", c.rev, "time", c.rev, "hash", wire.ContentHash(is), "etag", "e", "cause", "poll",
		"leader", "l", "size", len(is), "from", wire.ContentHash(was), "fromsize", len(was), "back", wire.Back{Codec: wire.Raw, Payload: was}.Append(nil))
	for _, reference := range []string{"-1", wire.ContentHash(was)[:8], fmt.Sprint(first)} {
		out, _ := c.run(exitOK, ordered("pin", "main", reference)...)
		c.matches(out, `text: default value changed: "one" \(was "two"\)`)
		if p := c.stored().Pin; p.Rev != first || p.Hash != wire.ContentHash(was) {
			t.Errorf("%s: stored %+v", reference, p)
		}
	}
	_, errs := c.run(exitFailure, ordered("pin", "-7")...)
	c.matches(errs, `-7 is not in the history`)
	_, errs = c.run(exitUsage, ordered("pin", otherTestKey)...)
	c.matches(errs, `neither the name of an SDK key nor a rev`)
}

func TestWrongOrdersAreRefusedBeforeAnythingIsWritten(t *testing.T) {
	c := newControlled(t)
	c.act()
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args    []string
		pattern string
	}{
		{[]string{"pin", "--reason", "x", "--yes"}, `--for: give the time`},
		{[]string{"pin", "--for", "-1m", "--reason", "x", "--yes"}, `--for: give the time`},
		{[]string{"pin", "--for", "169h", "--reason", "x", "--yes"}, `--for: 169h0m0s is more than 168h0m0s`},
		{[]string{"pin", "--for", "1us", "--reason", "x", "--yes"}, `--for: 1µs is below 1ms`},
		{[]string{"pin", "--for", "soon", "--reason", "x"}, `--for: "soon" is not a duration`},
		{[]string{"pin", "--for", "1h", "--yes"}, `--reason: say why`},
		{[]string{"pin", "--for", "1h", "--reason", " ", "--yes"}, `--reason: say why`},
		{[]string{"pin", "--for", "1h", "--reason", "a\nb", "--yes"}, `--reason: a control character`},
		{[]string{"pin", "--for", "1h", "--reason", strings.Repeat("x", 201), "--yes"}, `--reason: over the size limit`},
		{[]string{"pin", "--for", "1h", "--reason", "x", "--by", strings.Repeat("x", 65), "--yes"}, `--by: over the size limit`},
		{[]string{"pin", "--for", "1h", "--reason", "x", "--timeout", "0s"}, `--timeout: 0s is not above zero`},
		{ordered("pin", broken), `broken.json: `},
		{ordered("pin", filepath.Join(t.TempDir(), "none.json")), `no such file`},
		{[]string{"pin", "-", "--for", "1h", "--reason", "x"}, `give --yes: standard input is the config`},
		{ordered("force", "on"), `arguments are missing`},
		{ordered("force", "on", "maybe"), `the flag "on" is true or false, not "maybe"`},
		{ordered("force", "limit", "1.5"), `is a whole number`},
		{ordered("force", "limt", "1"), `did you mean "limit"\?`},
		{ordered("force", otherTestKey, "1"), `the current config has no flag with that key`},
		{ordered("force", "other", "on", "true"), `no SDK key has the name that is given`},
		{ordered("force", "main", "on", "true", "x"), `unexpected arguments`},
		{[]string{"unforce"}, `arguments are missing`},
		{[]string{"unforce", "main", "on", "x"}, `unexpected arguments`},
		{[]string{"unpin", "on"}, `no SDK key has the name`},
		{[]string{"controls", "on"}, `no SDK key has the name`},
		{[]string{"controls", "--timeout", "0s"}, `--timeout`},
	} {
		_, errs := c.run(exitUsage, test.args...)
		c.matches(errs, test.pattern)
	}
	if n := c.client.Exists(t.Context(), c.keys.Control, c.keys.Pinned).Val(); n != 0 {
		t.Error("something was written")
	}
}

func TestWithoutATerminalYesIsRequired(t *testing.T) {
	c := newControlled(t)
	out, errs := c.run(exitUsage, "force", "on", "false", "--for", "1h", "--reason", "x")
	c.matches(out, `^on: default value changed: false \(was true\)\n$`)
	c.matches(errs, `nothing was written: standard input is not a terminal; give --yes to force "on" to "false" for 1h0m0s without a question`)
	if c.stored() != nil {
		t.Error("something was written")
	}
}

func TestWithoutALeaderTheNextOneActs(t *testing.T) {
	c := newControlled(t)
	_, errs := c.run(exitFailure, ordered("force", "on", "false")...)
	c.matches(errs, `main: written, but there is no leader: the next one acts on it`)
	out, _ := c.run(exitOK, "controls")
	c.matches(out, `forced on to false .*\n– main: the leader has not acted on this yet\n$`)
	c.client.Set(t.Context(), c.keys.Lock, wire.LockValue("leader", c.rev), 0)
	_, errs = c.run(exitFailure, append(ordered("force", "on", "true"), "--timeout", "150ms")...)
	c.matches(errs, `written, but the leader has not acted within 150ms`)
}

func TestAnEarlierLeaderIsReported(t *testing.T) {
	c := newControlled(t)
	c.act()
	c.run(exitOK, ordered("force", "on", "false")...)
	c.client.HSet(t.Context(), c.keys.Meta, "epoch", c.rev+1)
	for _, args := range [][]string{ordered("pin"), ordered("force", "on", "true"), {"unforce", "on", "--yes"}, {"unpin", "--yes"}} {
		_, errs := c.run(exitFailure, args...)
		c.matches(errs, `the leader has an earlier version, which acts on no pin and no force: upgrade all leaders`)
	}
	out, _ := c.run(exitOK, "controls")
	c.matches(out, `– main: the leader has an earlier version, and acts on no pin and no force`)
}

// The users of deploy/acl: operators read, and controllers write.
func TestControlsNeedTheirRights(t *testing.T) {
	c := newControlled(t)
	for _, user := range []string{"operator", "status", "controller"} {
		args := []any{"ACL", "SETUSER", user, "on", ">secret"}
		for _, rule := range aclfile.Rules(t, "single.acl", user) {
			args = append(args, rule)
		}
		if err := c.client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	as := func(user string) { t.Setenv("CATBRIDGE_REDIS_URL", "redis://"+user+":secret@"+c.server.Addr()) }
	c.act()
	for _, user := range []string{"operator", "status"} {
		as(user)
		c.run(exitOK, "controls")
		_, errs := c.run(exitFailure, ordered("force", "on", "false")...)
		c.matches(errs, `main: .*NOPERM.*; use a user with the rights of controller in deploy/acl`)
	}
	as("controller")
	c.run(exitOK, ordered("pin")...)
	c.run(exitOK, ordered("force", "on", "false")...)
	c.run(exitOK, "unpin", "--yes")
	c.run(exitOK, "unforce", "on", "--yes")
}

// What others wrote cannot control the terminal.
func TestControlsPrintNoControlCharacters(t *testing.T) {
	c := newControlled(t)
	now := time.Now().UnixMilli()
	c.client.Set(t.Context(), c.keys.Control, fmt.Sprintf("%d\n"+`{"forced":[{"flag":"on\u001b[1m","value":{"s":"\u001b]0;x\u0007"},"by":"%s","reason":"x","since":%d,"until":%d}]}`, now, "\u202eme", now, now+60_000), 0)
	out, _ := c.run(exitOK, "controls")
	if !strings.Contains(out, "forced") || strings.ContainsAny(out, "\x1b\x07\u202e") {
		t.Errorf("%q", out)
	}
	out, _ = c.run(exitOK, "controls", "--json")
	if strings.ContainsAny(out, "\x1b\x07") {
		t.Errorf("%q", out)
	}
	c.client.Set(t.Context(), c.keys.Control, "\x1b[1m", 0)
	out, errs := c.run(exitFailure, "controls")
	c.matches(out, `✗ main: Redis has lost what operators put in force`)
	c.matches(errs, `1 fault, see above`)
}

func TestTheNameOfWhoOrdersHasAtMost64Bytes(t *testing.T) {
	t.Setenv("USER", strings.Repeat("ä", 100))
	if by := userAtHost(); len(by) > 64 || by == "" {
		t.Errorf("%q", by)
	}
}

// With --yes nobody would see what the other operator has done.
func TestWithYesAConflictIsAnError(t *testing.T) {
	c := newControlled(t)
	c.act()
	var f controlFlags
	var out strings.Builder
	cmd := &cobra.Command{Use: "test"}
	f.add(cmd, false)
	cmd.SetContext(t.Context())
	cmd.SetOut(&out)
	if err := cmd.ParseFlags([]string{"--yes"}); err != nil {
		t.Fatal(err)
	}
	operator, _, err := f.open(cmd, nil, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer operator.close()
	err = operator.change(plan{change: func(controls *control.Controls) (*control.Change, error) {
		c.run(exitOK, ordered("force", "limit", "9")...) // another operator
		return controls.Force("on", evaluate.BoolValue(false), control.Order{By: "me", Reason: "x", For: time.Hour})
	}})
	if !errors.Is(err, control.ErrConflict) || !strings.Contains(err.Error(), "nothing was written: see catbridge controls") || len(c.stored().Forced) != 1 {
		t.Errorf("got %v, stored %+v", err, c.stored())
	}
}

// An official SDK that is not offline does not follow what is in force.
func TestAnOrderWarnsOfSDKsThatAreNotOffline(t *testing.T) {
	c := newControlled(t)
	c.act()
	ago := func(d time.Duration) {
		c.client.HSet(t.Context(), c.keys.Meta, wire.OverwritesField, fmt.Sprintf("3 %d", time.Now().Add(-d).UnixMilli()))
	}
	ago(time.Minute)
	const warning = `warning: an official SDK that is not offline overwrote the entry 1m\d+s ago`
	for _, args := range [][]string{ordered("pin"), ordered("force", "on", "false")} {
		_, errs := c.run(exitOK, args...)
		c.matches(errs, warning)
	}
	out, _ := c.run(exitFailure, "status")
	c.matches(out, `– main: official SDKs that are not offline have overwritten the entry 3 times, the last time 1m\d+s ago`)
	_, errs := c.run(exitOK, "unforce", "on", "--yes")
	ago(2 * time.Hour)
	_, more := c.run(exitOK, ordered("force", "on", "false")...)
	if strings.Contains(errs+more, "SDK") {
		t.Errorf("%q, %q", errs, more)
	}
}
