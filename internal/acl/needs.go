package acl

import (
	"slices"
	"strings"

	"github.com/catbridge/catbridge/cachekeys"
)

// The kinds of rights on a key, which Redis grants separately, and the right to a channel.
const (
	read      = "r"
	write     = "w"
	readWrite = "rw"
	channel   = "&"
)

// need is a command on a key or channel.
type need struct {
	command string
	text    string // with all arguments: Redis 7.0 reads past their end if one is missing
	target  string // the key or channel; empty: neither
	mode    string
	grant   string // the ACL rule that grants access to target
	used    bool   // false: asked only to find out which other rights are missing
	history bool   // only the history needs it
}

func (n need) rule() string { return "+" + strings.ToLower(n.command) }

type needs []need

// keyCommands are all commands on keys that the scripts and the leader send. $ is the key.
var keyCommands = []struct{ text, mode string }{
	{"GET $", read}, {"GETRANGE $ 0 0", read}, {"HMGET $ f", read}, {"PTTL $", read},
	{"SET $ v", write}, {"SETRANGE $ 0 v", write}, {"HSET $ f v", write}, {"HINCRBY $ f 1", readWrite},
	{"PEXPIRE $ 1", write}, {"DEL $", write}, {"EVALSHA 0 1 $", readWrite},
	{"XADD $ * f v", write}, {"XREVRANGE $ + -", read}, {"XTRIM $ MINID 0", write},
}

// clusterNeeds are the further commands of a cluster client. It asks for the keys of a
// command, and follows a slot that is moving to another node (F22).
var clusterNeeds = needs{
	{command: "COMMAND", text: "COMMAND", used: true},
	{command: "ASKING", text: "ASKING", used: true},
}

// leaderNeeds returns all commands that the scripts and the leader send.
func leaderNeeds(keys cachekeys.Keys) needs {
	list := needs{
		{command: "EVALSHA", text: "EVALSHA 0 0", used: true},
		{command: "TIME", text: "TIME", used: true},
		{command: "PING", text: "PING", used: true},
	}
	for _, text := range []string{"PUBLISH $ v", "SUBSCRIBE $"} {
		list = append(list, newNeed(text, keys.Events, channel, "&"+keys.Events, true))
	}
	bridge := "~" + strings.TrimSuffix(keys.Lock, "lock") + "*"
	for _, key := range []struct{ name, grant, commands string }{
		{keys.Entry, "~" + keys.Entry, "EVALSHA GET GETRANGE SET SETRANGE"},
		{keys.Lock, bridge, "EVALSHA GET PTTL SET PEXPIRE DEL"},
		{keys.Meta, bridge, "EVALSHA HMGET HSET HINCRBY DEL"},
		{keys.Blob, bridge, "EVALSHA GET GETRANGE SET SETRANGE"},
		{keys.Patches, bridge, "EVALSHA GETRANGE SET DEL"},
		{keys.History, bridge, "EVALSHA XADD XREVRANGE XTRIM DEL"},
		{keys.Control, bridge, "EVALSHA GETRANGE SET"},
		{keys.Pinned, bridge, "EVALSHA GETRANGE SET DEL"},
		{keys.Source, bridge, "EVALSHA GETRANGE SET SETRANGE DEL"},
		{keys.Hook(strings.Repeat("0", 32)), bridge, "EVALSHA GET SET"},
	} {
		commands := strings.Fields(key.commands)
		for _, c := range keyCommands {
			n := newNeed(c.text, key.name, c.mode, key.grant, false)
			n.used, n.history = slices.Contains(commands, n.command), key.name == keys.History
			list = append(list, n)
		}
	}
	return list
}

func newNeed(text, target, mode, grant string, used bool) need {
	command, _, _ := strings.Cut(text, " ")
	return need{command: command, text: strings.Replace(text, "$", target, 1), target: target, mode: mode, grant: grant, used: used}
}
