package demo

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

func (d *demo) guide() {
	verb := "Press"
	if !d.keys {
		verb = "Type"
	}
	lines := []terminal.Styled{terminal.Paint(terminal.Bold, "What to try next")}
	add := func(title, format string, args ...any) {
		lines = append(lines, terminal.Sprintf("%s%s", terminal.Paint(terminal.Bold, pad(title, 9)), terminal.Sprintf(format, args...)))
	}
	add("Edit", "%s", d.file.Path())
	add("", "Save it to change the flags. Try the \"v\" of %s.", d.someFlag())
	add(verb, "k: kill the leader, or revive it. f: force a flag, or withdraw that.")
	add("Operate", "in another terminal (%s):", d.redisHint())
	for _, line := range d.commands() {
		lines = append(lines, terminal.Sprintf("%s", line))
	}
	add("Connect", "any SDK: base URL %s, SDK key configcat-proxy/%s", d.baseURL, keyName)
	add("More", "%s", d.moreKeys())
	d.screen.text(append(lines, "")...)
}

// commands returns lines for a shell in another terminal. They are not indented: the line with the SDK
// key fits into 80 columns.
func (d *demo) commands() []string {
	lines := []string{"export CATBRIDGE_REDIS_URL=" + quote(d.redisURL) + ` \`}
	if namespace := d.redis.Namespace(); namespace != "" {
		lines = append(lines, "CATBRIDGE_REDIS_NAMESPACE="+namespace+` \`)
	}
	lines = append(lines, "CATBRIDGE_SDK_KEY="+d.sdkKey, d.o.Program+" history && "+d.o.Program+" watch --fast")
	if flag, value, ok := d.forceable(); ok {
		lines = append(lines, d.o.Program+" "+forceCommand(flag, value))
	}
	return lines
}

func (d *demo) someFlag() string {
	if keys := d.readers[0].GetAllKeys(); len(keys) > 0 {
		return keys[0]
	}
	return "maintenanceBanner"
}

// script prints a script that reads the entry with an official SDK.
func (d *demo) script() {
	lines := []terminal.Styled{
		terminal.Sprintf("The entry for official ConfigCat SDKs is the Redis key %s.", d.redisKeys.Entry),
		"Save this as read.mjs; then run npm install @configcat/sdk redis, and node read.mjs:",
	}
	for line := range strings.Lines(fmt.Sprintf(snippet, d.redisURL, d.entryKey(), d.sdkKey, d.someFlag())) {
		lines = append(lines, terminal.Sprintf("%s", strings.TrimRight(line, "\n")))
	}
	d.screen.text(append(lines, "")...)
}

const snippet = `import { getClient, PollingMode } from "@configcat/sdk/node";
import { createClient } from "redis";
const redis = await createClient({ url: %q }).connect();
const cache = { get: (key) => redis.get(%s), set: () => {} };
const sdkKey = %q;
const client = getClient(sdkKey, PollingMode.ManualPoll, { cache, offline: true });
console.log(await client.getValueAsync(%q, null));
client.dispose(); await redis.close();
`

// entryKey returns the expression in the snippet for the entry's name in Redis.
func (d *demo) entryKey() string {
	if namespace := d.redis.Namespace(); namespace != "" {
		return fmt.Sprintf("%q + key", namespace+":")
	}
	return "key"
}

func (d *demo) redisHint() string {
	if d.embedded != nil {
		return "the demo's own Redis, while the demo runs"
	}
	return "add the password, if there is one"
}

func (d *demo) moreKeys() string {
	keys := "v: history   t: values now   s: script for an SDK   h: help   "
	if d.keys {
		return keys + "q: quit"
	}
	return keys + "q: quit; then Enter"
}

func (d *demo) status() string {
	who := "no leader"
	if d.leader != "" {
		who = d.leader + " leads"
	}
	text := who + " · followers: " + d.readerStates()
	if d.pending != nil || d.ordered != nil {
		text += " · a change is in progress"
	}
	kill, force := "k: kill the leader", "f: force a flag"
	for _, n := range d.leaders {
		switch {
		case n.killed:
			kill = "k: revive " + n.name
		case n.leads() && n.stats().InForce != 0:
			force = "f: withdraw the force"
		}
	}
	return text + " · " + kill + ", " + force + ", t: values, h: help, q: quit"
}
