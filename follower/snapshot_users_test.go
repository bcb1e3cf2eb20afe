package follower

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// A user's snapshot never has the values of another user.
func TestWithUserEvaluatesForThatUser_S22(t *testing.T) {
	c := heldClient(t, nil, configJSON(1))
	text := String("text", "")
	ours, theirs := &UserData{Email: "a@example.com"}, &UserData{Email: "b@elsewhere.com"}
	first := c.Snapshot(ours)
	for range 2 {
		if got := text.Get(first); got != "ours" {
			t.Errorf("%q", got)
		}
		second := first.WithUser(theirs)
		if got := text.Get(second); got != "theirs" {
			t.Errorf("%q, for another user", got)
		}
		if got := text.Get(second.WithUser(ours)); got != "ours" {
			t.Errorf("%q, for the first user again", got)
		}
	}
}

// usersConfig returns a config with flags of every type. Their values depend on each attribute, and
// there are more of them than a snapshot caches.
func usersConfig(flags int) []byte {
	var json strings.Builder
	json.WriteString(`{"p":{"s":"salt"},"f":{`)
	for i := range flags {
		attribute := []string{"Identifier", "Email", "Country", "plan"}[i%4]
		rule := func(value func(string) string) string {
			of := func(who string) string {
				return fmt.Sprintf(`{"c":[{"u":{"a":%q,"c":28,"s":%q}}],"s":{"v":{%s}}}`, attribute, who, value(who))
			}
			return of("0") + "," + of("1") + "," + of("2")
		}
		var kind int
		var value func(who string) string
		switch kind = i / 4 % 4; kind {
		case 0:
			value = func(who string) string { return fmt.Sprintf(`"b":%v`, who == "1") }
		case 1:
			value = func(who string) string { return fmt.Sprintf(`"s":"%s of %d"`, who, i) }
		case 2:
			value = func(who string) string { return fmt.Sprintf(`"i":1%s%d`, who, i) }
		default:
			value = func(who string) string { return `"d":` + who + "." + fmt.Sprint(i+1) }
		}
		if i > 0 {
			json.WriteString(",")
		}
		json.WriteString(fmt.Sprintf(`"flag%d":{"t":%d,"v":{%s},"r":[%s]}`, i, kind, value("9"), rule(value)))
	}
	return []byte(json.String() + "}}")
}

// anyUser returns a random user of any type, whose attributes have few possible values.
func anyUser(r *rand.Rand) User {
	value := func() string { return fmt.Sprint(r.IntN(4)) }
	switch r.IntN(6) {
	case 0:
		return nil
	case 1:
		return map[string]any{"Identifier": value(), "Email": value(), "Country": value(), "plan": value()}
	case 2:
		return map[string]string{"Identifier": value(), "Email": value(), "Country": value(), "plan": value()}
	case 3:
		return struct {
			Identifier, Email, Country string
			Plan                       string `configcat:"plan"`
		}{value(), value(), value(), value()}
	default:
		return &UserData{Identifier: value(), Email: value(), Country: value(), Custom: map[string]any{"plan": value()}}
	}
}

// A snapshot returns the same value as the client does for the snapshot's user, whatever was read
// before from it and from the snapshots that it was made from, by any goroutine.
func TestSnapshotsAgreeWithTheClientForEveryUser_S22(t *testing.T) {
	const flags = 3 * evaluationCacheSize
	config := usersConfig(flags)
	quiet := func(level slog.Level) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: level}))
	}
	for name, logger := range map[string]*slog.Logger{"no log": nil, "warnings": quiet(slog.LevelWarn), "evaluation log": quiet(slog.LevelInfo)} {
		for _, hooked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, hooked %v", name, hooked), func(t *testing.T) {
				t.Parallel()
				plain := heldClient(t, nil, config)
				c, _ := hookedClient(t, logger, config, nil)
				if hooked {
					c.OnFlagEvaluated(func(*EvaluationDetails) {})
				}
				seed := rand.Uint64()
				shared := make([]*Snapshot, 4)
				users := make([]User, len(shared))
				r := rand.New(rand.NewPCG(seed, 0))
				for i := range shared {
					users[i] = anyUser(r)
					shared[i] = c.Snapshot(users[i])
				}
				var group sync.WaitGroup
				for worker := range 4 {
					group.Go(func() {
						r := rand.New(rand.NewPCG(seed, uint64(worker)+1))
						snapshots, users := append([]*Snapshot(nil), shared...), append([]User(nil), users...)
						for step := range 1000 {
							i := r.IntN(len(snapshots))
							if r.IntN(4) == 0 {
								user := anyUser(r)
								snapshots, users = append(snapshots, snapshots[i].WithUser(user)), append(users, user)
								continue
							}
							flag := anyFlag(r, r.IntN(flags))
							got, want := flag.GetValue(snapshots[i]), flagOf(plain, flag, users[i])
							if got != want {
								t.Errorf("seed %d, goroutine %d, step %d: %s is %v for %+v, want %v", seed, worker, step, flag.Key(), got, users[i], want)
								return
							}
						}
					})
				}
				group.Wait()
			})
		}
	}
}

// anyFlag returns a descriptor of a flag of usersConfig, sometimes with another type.
func anyFlag(r *rand.Rand, i int) Flag {
	key, kind := fmt.Sprintf("flag%d", i), i/4%4
	if r.IntN(8) == 0 {
		kind = r.IntN(4)
	}
	switch kind {
	case 0:
		return Bool(key, r.IntN(2) == 0)
	case 1:
		return String(key, "none")
	case 2:
		return Int(key, -r.IntN(3))
	default:
		return Float(key, -1.5)
	}
}

func flagOf(c *Client, flag Flag, user User) any {
	switch f := flag.(type) {
	case BoolFlag:
		return c.GetBoolValue(f.Key(), f.def, user)
	case StringFlag:
		return c.GetStringValue(f.Key(), f.def, user)
	case IntFlag:
		return c.GetIntValue(f.Key(), f.def, user)
	default:
		return c.GetFloatValue(f.Key(), flag.(FloatFlag).def, user)
	}
}
