//go:build ignore

package main

import (
	"testing"

	configcat "github.com/configcat/go-sdk/v9"
)

func TestGreeting(t *testing.T) {
	client := configcat.NewCustomClient(configcat.Config{
		FlagOverrides: &configcat.FlagOverrides{
			Behavior: configcat.LocalOnly,
			Values:   map[string]any{"newCheckout": true, "bannerText": "Welcome"},
		},
	})
	defer client.Close()
	if have := greeting(client, "42", "jane@example.com"); have != "Welcome" {
		t.Errorf("%q with the flag on", have)
	}
}
