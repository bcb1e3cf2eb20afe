package follower

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
)

// eventIDs returns a logger that sends the ids of events to the channel, except those of evaluations,
// which would fill the channel of a test that evaluates in a loop.
func eventIDs() (<-chan int, *slog.Logger) {
	events := make(chan int, 1000)
	return events, slog.New(idHandler{&record{level: slog.LevelDebug}, events})
}

type idHandler struct {
	*record
	events chan<- int
}

func (h idHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h idHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "event_id" && a.Value.Int64() != int64(evaluate.EventEvaluated) {
			h.events <- int(a.Value.Int64())
		}
		return true
	})
	return nil
}

// local starts a client that has only overrides.
func local(t *testing.T, logger *slog.Logger, given FlagOverrides) *Client {
	t.Helper()
	c, err := New(Config{FlagOverrides: &given, Logger: logger, LogLevel: LogLevelDebug})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestALocalOnlyClientNeedsNothing_S60(t *testing.T) {
	log, _ := recorded(slog.LevelWarn)
	values := map[string]any{"a": true, "n": 3}
	c := local(t, slog.New(log), FlagOverrides{Values: values})
	values["a"] = false // New copied the map
	select {
	case <-c.Ready():
	default:
		t.Error("not ready at once")
	}
	if state, err := c.WaitForReady(t.Context()); state != HasLocalOverrideFlagDataOnly || err != nil {
		t.Errorf("%v, %v", state, err)
	}
	if !c.GetBoolValue("a", false, nil) || c.GetIntValue("n", 0, nil) != 3 || c.GetFloatValue("n", 0, nil) != 3 {
		t.Error("values")
	}
	if d := c.GetBoolValueDetails("a", false, nil); !d.Data.FetchTime.IsZero() {
		t.Errorf("%+v", d)
	}
	c.SetOnline()
	c.SetOffline()
	if !c.IsOffline() {
		t.Error("online") // S13
	}
	found := log.with(3202)
	if len(found) != 1 || found[0].text != "[3202] Client is configured to use the `LocalOnly` override behavior, thus `SetOnline()` has no effect. event_id=3202" {
		t.Errorf("%+v", log.all())
	}
	for _, err := range []error{c.Refresh(t.Context()), c.RefreshIfOlder(t.Context(), 0)} {
		if err != nil {
			t.Errorf("%v", err) // S21
		}
	}
	c.Stats()
	c.Close()
	if err := c.Refresh(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("%v after Close", err)
	}
	if !c.GetBoolValue("a", false, nil) {
		t.Error("after Close")
	}
}

func TestOverridesAreMergedIntoTheConfig_S61_S62(t *testing.T) {
	for behavior, want := range map[OverrideBehavior]map[string]any{
		LocalOverRemote: {"version": 100, "mine": true, "isOn": true, "ratio": 0.5, "text": "theirs"},
		RemoteOverLocal: {"version": 2, "mine": true, "isOn": true, "ratio": 0.5, "text": "theirs"},
	} {
		t.Run(behavior.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t)
				c := n.ready(t, func(c *Config) {
					c.FlagOverrides = &FlagOverrides{Behavior: behavior, Values: map[string]any{"version": 100, "mine": true}}
				})
				if c.CacheState() != HasLocalOverrideFlagDataOnly || c.GetIntValue("version", 0, nil) != 100 || len(c.GetAllKeys()) != 2 {
					t.Error("without a config")
				}
				w.commit(configJSON(1))
				w.commit(configJSON(2))
				w.beat()
				synctest.Wait()
				if diff := cmp.Diff(want, c.GetAllValues(nil)); diff != "" {
					t.Error(diff)
				}
				before := c.GetBoolValueDetails("mine", false, nil).Data.FetchTime
				joined := c.held().Config

				time.Sleep(time.Minute)
				synctest.Wait()
				if c.CacheState() == HasLocalOverrideFlagDataOnly || before.IsZero() {
					t.Errorf("%v, fetched at %v", c.CacheState(), before)
				}
				if c.held().Config != joined {
					t.Error("joined again though only the time has changed")
				}
			})
		})
	}
}

func TestOverridesMayChangeDuringReads_S65(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	write(t, path, `{"flags":{"n":0}}`)
	events, logger := eventIDs()
	c := local(t, logger, FlagOverrides{FilePath: path})
	var group sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		group.Go(func() {
			for last := 0; ; {
				select {
				case <-done:
					return
				default:
				}
				n := c.GetIntValue("n", -1, nil)
				if n < last {
					t.Errorf("%d after %d", n, last)
				}
				last = n
			}
		})
	}
	awaitEvent(t, events, eventid.Debug)
	for _, text := range []string{`{"flags":{"n":1}}`, `{"flags":{"n":2}}`} {
		write(t, path, text)
		awaitEvent(t, events, eventid.Debug)
	}
	close(done)
	group.Wait()
	if c.GetIntValue("n", 0, nil) != 2 {
		t.Error("the last version")
	}
}

// write replaces the whole file atomically.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

// awaitEvent waits for an event with the given id and skips those of evaluations.
func awaitEvent(t *testing.T, events <-chan int, id int) {
	t.Helper()
	for {
		select {
		case got := <-events:
			if got == id {
				return
			}
			if got < 3000 && got != eventid.OverrideFileBad {
				t.Fatalf("event %d, want %d", got, id)
			}
		case <-t.Context().Done():
			t.Fatal("the test was ended")
		case <-time.After(time.Minute):
			t.Fatalf("no event %d", id)
		}
	}
}

func TestTheFileIsWatched_S65(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "later")
	path := filepath.Join(folder, "flags.json")
	events, logger := eventIDs()
	c := local(t, logger, FlagOverrides{FilePath: path})
	value := func(want string) {
		t.Helper()
		if got := c.Snapshot(&UserData{Email: "a@example.com"}).GetValue("text"); got != want {
			t.Errorf("%v, want %q", got, want)
		}
	}
	awaitEvent(t, events, 1300) // its folder is missing, too
	if c.CacheState() != NoFlagData {
		t.Errorf("%v", c.CacheState())
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path, `{"flags":{"text":"one"}}`)
	awaitEvent(t, events, eventid.Debug)
	value("one")
	write(t, path, `{"flags":{"text":"tw`)
	awaitEvent(t, events, 2302)
	value("one")
	write(t, path, `{"flags":{"text":"two"}}`)
	awaitEvent(t, events, eventid.Debug)
	value("two")
	if err := os.WriteFile(path, configJSON(1), 0o600); err != nil { // in place
		t.Fatal(err)
	}
	awaitEvent(t, events, eventid.Debug)
	value("ours") // S64: a full config with targeting
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, 1300)
	value("ours")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, 1302)
	value("ours")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, 1300)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path, `{"flags":{"text":"three"}}`)
	awaitEvent(t, events, eventid.Debug)
	value("three")
}

// Kubernetes updates mounted files by a symbolic link to their folder.
func TestALinkToTheFileIsWatched_S65(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"first": "one", "second": "two"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, name, "flags.json"), `{"flags":{"text":"`+text+`"}}`)
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(folder, "new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(folder, "new"), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("first", "data")
	link(filepath.Join("data", "flags.json"), "flags.json")
	events, logger := eventIDs()
	c := local(t, logger, FlagOverrides{FilePath: filepath.Join(folder, "flags.json")})
	awaitEvent(t, events, eventid.Debug)
	if got := c.GetStringValue("text", "", nil); got != "one" {
		t.Error(got)
	}
	link("second", "data")
	awaitEvent(t, events, eventid.Debug)
	if got := c.GetStringValue("text", "", nil); got != "two" {
		t.Error(got)
	}
}

// The links change without a notification for the file's own folder.
func TestAFileBehindLinksIsWatched_S65(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"1", "2", "app"} {
		must(os.Mkdir(in(name), 0o700))
	}
	write(t, in("1/flags.json"), `{"flags":{"text":"one"}}`)
	write(t, in("2/flags.json"), `{"flags":{"text":"two"}}`)
	must(os.Symlink("1", in("current")))
	must(os.Symlink("../2/flags.json", in("app/flags.json")))
	for _, c := range []struct {
		name, path, before, after string
		change                    func()
	}{
		{"a link to its folder that moves", "current/flags.json", "one", "two", func() {
			must(os.Symlink("2", in("next")))
			must(os.Rename(in("next"), in("current")))
		}},
		{"a target in another folder that is written", "app/flags.json", "two", "three", func() {
			must(os.WriteFile(in("2/flags.json"), []byte("\ufeff"+`{"flags":{"text":"three"}}`), 0o600))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, logger := eventIDs()
			client := local(t, logger, FlagOverrides{FilePath: in(c.path)})
			awaitEvent(t, events, eventid.Debug)
			if got := client.GetStringValue("text", "", nil); got != c.before {
				t.Errorf("%q, want %q", got, c.before)
			}
			c.change()
			awaitEvent(t, events, eventid.Debug)
			if got := client.GetStringValue("text", "", nil); got != c.after {
				t.Errorf("%q, want %q", got, c.after)
			}
		})
	}
}

func TestOverrideFilesLogTheEventsOfThePythonSDK_S102(t *testing.T) {
	folder := t.TempDir()
	bad := filepath.Join(folder, "bad.json")
	write(t, bad, `{"flags":`)
	missing := filepath.Join(folder, "missing.json")
	for path, want := range map[string]string{
		bad:    "[2302] Failed to decode JSON from the local config file '" + bad + "'. error=",
		folder: "[1302] Failed to read the local config file '" + folder + "'. error=",
		missing: "[1300] Cannot find the local config file '" + missing + "'. This is a path that your application provided to the " +
			"ConfigCat SDK by passing it to `FlagOverrides.FilePath`. Read more: https://configcat.com/docs/sdk-reference/go/#json-file event_id=1300",
	} {
		log, _ := recorded(slog.LevelInfo)
		local(t, slog.New(log), FlagOverrides{FilePath: path}).Close()
		if all := log.all(); len(all) != 1 || !strings.HasPrefix(all[0].text, want) || all[0].level != slog.LevelError {
			t.Errorf("%+v", all)
		}
	}
}

// S9: New refuses invalid overrides.
func TestBadOverridesAreRefused(t *testing.T) {
	for want, given := range map[string]FlagOverrides{
		"FlagOverrides has neither":                         {},
		"FlagOverrides has both":                            {Values: map[string]any{}, FilePath: "x"},
		"FlagOverrides.Behavior is OverrideBehavior(3)":     {Behavior: 3, Values: map[string]any{}},
		"FlagOverrides.Behavior is OverrideBehavior(-1), w": {Behavior: -1, Values: map[string]any{}},
	} {
		if c, err := New(Config{SDKKey: "x", FlagOverrides: &given}); c != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestOverridesDoNotAllocate_S14(t *testing.T) {
	c := heldClient(t, nil, configJSON(1))
	c.overrides = startOverrides(&FlagOverrides{Behavior: LocalOverRemote, Values: map[string]any{"mine": true}}, c.log)
	if n := testing.AllocsPerRun(100, func() { c.GetBoolValue("mine", false, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
