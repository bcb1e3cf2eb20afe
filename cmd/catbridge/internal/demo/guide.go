package demo

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/leader"
)

// guide is the one screen that says what to try next.
func (d *demo) guide() {
	b := func(text string) string { return d.screen.paint(bold, pad(text, 9)) }
	press, others := "press k", "Press"
	if !d.keys {
		press, others = "type k and Enter", "Type"
	}
	key := "maintenanceBanner"
	if keys := d.readers[0].GetAllKeys(); len(keys) > 0 {
		key = keys[0]
	}
	expiry := leader.FastTiming().LockExpiry
	lines := []string{
		d.screen.paint(bold, "What to try next"),
		b("Edit") + d.file.Path(),
		b("") + "When you save it, the flags change in every follower: try the \"v\" of " + key + ".",
		b("Kill") + press + ": the leader dies with no goodbye, and another takes over when its lock runs",
		b("") + fmt.Sprintf("out (%v at most). Flags go on answering meanwhile. %s k again to revive it.", expiry, others),
		b("Follow") + "from another terminal (" + d.redisHint() + "):",
		b("") + fmt.Sprintf("CATBRIDGE_SDK_KEY=%s \\", d.sdkKey),
		b("") + fmt.Sprintf("  %s watch --fast --redis %s", d.o.Program, d.redisArguments()),
		b("Read") + "the entry with any official ConfigCat SDK: its Redis key is " + d.redisKeys.Entry,
		b("") + "npm install @configcat/sdk redis; then node read.mjs, with this in read.mjs:",
	}
	for line := range strings.Lines(fmt.Sprintf(snippet, d.redisURL, d.entryKey(), d.sdkKey, key)) {
		lines = append(lines, b("")+d.screen.paint(faint, strings.TrimRight(line, "\n")))
	}
	lines = append(lines, b("More")+d.moreKeys(), "")
	d.screen.text(lines...)
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

// redisArguments is what another command takes to find the demo's Redis.
func (d *demo) redisArguments() string {
	if namespace := d.redis.Namespace(); namespace != "" {
		return d.redisURL + " --redis-namespace " + namespace
	}
	return d.redisURL
}

// entryKey is the expression in the snippet for the entry's name in Redis.
func (d *demo) entryKey() string {
	if namespace := d.redis.Namespace(); namespace != "" {
		return fmt.Sprintf("%q + key", namespace+":")
	}
	return "key"
}

func (d *demo) redisHint() string {
	if d.embedded != nil {
		return "the demo's own Redis, at this address while the demo runs"
	}
	return "with the password, if there is one"
}

func (d *demo) moreKeys() string {
	if d.keys {
		return "t: this moment's answers   h: this help   q or Ctrl-C: the end"
	}
	return "t and Enter: this moment's answers   h: this help   q, or SIGINT: the end"
}

// status is what the status line says.
func (d *demo) status() string {
	who := "nobody leads"
	if d.leader != "" {
		who = d.leader + " leads"
	}
	text := who + " · followers: " + d.readerStates()
	if d.pending != nil {
		text += " · a change is under way"
	}
	for _, n := range d.leaders {
		if n.killed {
			return text + " · k: revive " + n.name + ", t: answers, h: help, q: end"
		}
	}
	return text + " · k: kill the leader, t: answers, h: help, q: end"
}
