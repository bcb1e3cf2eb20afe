package main

import (
	"errors"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
)

func TestGreeting(t *testing.T) {
	flags := followertest.New(t, map[string]any{"newCheckout": true, "bannerText": "Welcome"})
	if have := greeting(flags.Client, "42", "jane@example.com"); have != "Welcome" {
		t.Errorf("%q with the flag on", have)
	}
	flags.Set("newCheckout", false)
	if have := greeting(flags.Client, "42", "jane@example.com"); have != "Hello" {
		t.Errorf("%q with the flag off", have)
	}
}

// Overrides work as before, if only the constructor changes.
func TestGreetingWithOverrides(t *testing.T) {
	client, err := follower.New(follower.Config{
		FlagOverrides: &follower.FlagOverrides{
			Behavior: follower.LocalOnly,
			Values:   map[string]any{"newCheckout": true, "bannerText": "Welcome"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if have := greeting(client, "42", "jane@example.com"); have != "Welcome" {
		t.Errorf("%q with the flag on", have)
	}
}

// TestServedValuesAreCounted closes the client, which waits for the hook.
func TestServedValuesAreCounted(t *testing.T) {
	served.Init()
	flags := followertest.New(t, map[string]any{"newCheckout": true}, func(c *follower.Config) {
		c.Hooks = &follower.Hooks{OnFlagEvaluated: countServed}
	})
	greeting(flags.Client, "42", "jane@example.com")
	flags.Close()
	if counted := served.String(); counted != `{"newCheckout": 1}` {
		t.Errorf("counted %s", counted)
	}
}

func TestAnInvalidSDKKeyIsAnError(t *testing.T) {
	t.Setenv("CONFIGCAT_SDK_KEY", "shop=configcat-sdk-1/local-playground-00000/local-playground-00000")
	rdb := redis.NewClient(&redis.Options{})
	defer rdb.Close()
	if _, err := newClient(rdb, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "SDK key") {
		t.Errorf("the error is %v", err)
	}
}

func TestEventsReachTheLogger(t *testing.T) {
	var lines strings.Builder
	logger := slog.New(handler{logger: printer{log.New(&lines, "", 0)}}).With("sdk_key", "shop")
	logger.Debug("a")
	logger.Info("b", "n", 1)
	logger.Warn("100 %d")
	logger.WithGroup("g").Error("d", "error", errors.New("e"))
	want := "info: b sdk_key=shop n=1\nwarning: 100 %d sdk_key=shop\nerror: d sdk_key=shop error=e\n"
	if lines.String() != want {
		t.Errorf("logged %q, want %q", lines.String(), want)
	}
}
