package main

import (
	"testing"

	"github.com/catbridge/catbridge/follower/followertest"
)

func TestGreeting(t *testing.T) {
	flags := followertest.New(t, map[string]any{"newGreeting": false, "greeting": "Welcome"})
	if have := greeting(flags.Client, "42", "jane@example.com"); have != "Hello" {
		t.Errorf("%q with the flag off", have)
	}
	flags.Set("newGreeting", true)
	if have := greeting(flags.Client, "42", "jane@example.com"); have != "Welcome" {
		t.Errorf("%q with the flag on", have)
	}
	flags.Delete("greeting")
	if have := greeting(flags.Client, "42", "jane@example.com"); have != "Hello" {
		t.Errorf("%q without the setting", have)
	}
}
