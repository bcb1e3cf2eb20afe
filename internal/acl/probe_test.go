package acl

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// Some managed services refuse TIME in scripts: the bridge's scripts fail there, though other
// scripts run.
func TestCheckScriptsFailsWhereTheScriptsFail(t *testing.T) {
	t.Parallel()
	for command, well := range map[string]bool{"": true, "TIME": false, "PTTL": false, "HMGET": false, "GETRANGE": false} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			var args []string
			if command != "" {
				args = []string{"--rename-command", command, ""}
			}
			client := redistest.Start(t, args...).Client(t, nil)
			err := CheckScripts(t.Context(), client, testKey, "")
			if well != (err == nil) {
				t.Errorf("without %s: %v", command, err)
			}
			if err != nil && !strings.Contains(err.Error(), "called from script") {
				t.Errorf("without %s: %v", command, err)
			}
			if n := client.DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("%d keys were written", n)
			}
		})
	}
}

func TestCheckScriptsRunsEveryCommandThatReads(t *testing.T) {
	commands := []string{"TIME"}
	for _, c := range keyCommands {
		if c.mode == read {
			command, _, _ := strings.Cut(c.text, " ")
			commands = append(commands, command)
		}
	}
	for _, command := range commands {
		if !strings.Contains(probeSource, "'"+command+"'") {
			t.Errorf("it does not run %s", command)
		}
	}
}
