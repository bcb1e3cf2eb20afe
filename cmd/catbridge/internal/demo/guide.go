package demo

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/leader"
)

func (d *demo) guide() {
	press, others := "press", "Press"
	if !d.keys {
		press, others = "type", "Type"
	}
	lines := []terminal.Styled{terminal.Paint(terminal.Bold, "What to try next")}
	add := func(title, format string, args ...any) {
		lines = append(lines, terminal.Sprintf("%s%s", terminal.Paint(terminal.Bold, pad(title, 9)), terminal.Sprintf(format, args...)))
	}
	add("Edit", "%s", d.file.Path())
	add("", "Save it to change the flags. Try the \"v\" of %s.", d.someFlag())
	add("Kill", "%s k to kill the leader. Another takes over when its lock expires", press)
	add("", "(%v at most). Flags work meanwhile. %s k again to revive it.", leader.FastTimings().LeaseDuration, others)
	add("Follow", "from another terminal (%s):", d.redisHint())
	add("", "%s watch --fast --redis %s \\", d.o.Program, d.redisArguments())
	add("", "--sdk-key %s", d.sdkKey)
	add("Connect", "any SDK: base URL %s, SDK key configcat-proxy/%s", d.baseURL, keyName)
	add("Read", "the entry with an official ConfigCat SDK: %s s for a script.", press)
	add("More", "%s", d.moreKeys())
	d.screen.text(append(lines, "")...)
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

// redisArguments returns the arguments for another command to use the demo's Redis.
func (d *demo) redisArguments() string {
	if namespace := d.redis.Namespace(); namespace != "" {
		return d.redisURL + " --redis-namespace " + namespace
	}
	return d.redisURL
}

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
	if d.keys {
		return "t: values now   h: this help   q or Ctrl-C: quit"
	}
	return "t: values now   h: this help   q or SIGINT: quit; press Enter after each"
}

func (d *demo) status() string {
	who := "no leader"
	if d.leader != "" {
		who = d.leader + " leads"
	}
	text := who + " · followers: " + d.readerStates()
	if d.pending != nil {
		text += " · a change is in progress"
	}
	for _, n := range d.leaders {
		if n.killed {
			return text + " · k: revive " + n.name + ", t: values, h: help, q: quit"
		}
	}
	return text + " · k: kill the leader, t: values, h: help, q: quit"
}
