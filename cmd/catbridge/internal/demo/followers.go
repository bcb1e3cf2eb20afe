package demo

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

// reader is one follower of the demo, with connections of its own.
type reader struct {
	name   string
	client redis.UniversalClient
	*follower.Client
}

// arrival says that a follower has taken a config.
type arrival struct {
	reader *reader
	config *evaluate.Config
	at     time.Time
}

// startReader starts a follower that tells of each config it takes.
func startReader(name string, to redisurl.Options, sdkKey string, log *slog.Logger, arrived func(arrival)) (*reader, error) {
	r := &reader{name: name, client: to.Client()}
	client, err := follower.New(follower.Config{
		SDKKey: sdkKey, Redis: r.client, Namespace: to.Namespace(), Timings: follower.FastTimings(), Logger: log.With("follower", name), LogLevel: follower.LogLevelDebug,
		Hooks: &follower.Hooks{OnConfigChanged: func(config *evaluate.Config) {
			arrived(arrival{reader: r, config: config, at: time.Now()})
		}},
	})
	if err != nil {
		r.client.Close()
		return nil, err
	}
	r.Client = client
	return r, nil
}

func (r *reader) stop() {
	r.Close()
	r.client.Close()
}

// Widths of the table's columns, and how many followers and flags are shown.
const (
	flagWidth   = 22
	userWidth   = 8
	answerWidth = 15
	shownFlags  = 6
	shownReader = 4
)

// table prints what each follower answers for a few flags and users.
func (d *demo) table() {
	shown := d.readers[:min(len(d.readers), shownReader)]
	var names []string
	for _, r := range shown {
		names = append(names, r.name)
	}
	lines := []string{"", d.screen.paint(bold, row("flag", "user", names))}

	keys := shown[0].GetAllKeys()
	sets := make(map[*reader][]answers.Set, len(d.readers))
	for _, r := range d.readers {
		for _, u := range d.users {
			sets[r] = append(sets[r], r.GetAllValues(u.attributes))
		}
	}
	for _, key := range keys[:min(len(keys), shownFlags)] {
		name := key
		for i, u := range d.users {
			var cells []string
			for _, r := range shown {
				cells = append(cells, answers.Text(sets[r][i][key]))
			}
			lines = append(lines, row(name, u.name, cells))
			name = "" // it stands there once
		}
	}
	if more := len(keys) - shownFlags; more > 0 {
		lines = append(lines, "… and "+count(more, "more flag"))
	}
	if more := len(d.readers) - len(shown); more > 0 {
		lines = append(lines, "… and "+count(more, "more follower")+"; "+d.agreement(keys, sets))
	}
	d.screen.text(append(lines, "")...)
}

// row is a line of the table.
func row(flag, user string, cells []string) string {
	var line strings.Builder
	line.WriteString(pad(clip(flag, flagWidth-2), flagWidth))
	line.WriteString(pad(user, userWidth))
	for _, cell := range cells {
		line.WriteString(pad(clip(cell, answerWidth-2), answerWidth))
	}
	return strings.TrimRight(line.String(), " ")
}

// agreement tells whether all followers answer alike.
func (d *demo) agreement(keys []string, sets map[*reader][]answers.Set) string {
	differing := 0
	for _, r := range d.readers {
		for i := range d.users {
			if len(answers.Diff(sets[d.readers[0]][i], sets[r][i], keys)) > 0 {
				differing++
				break
			}
		}
	}
	if differing > 0 {
		return fmt.Sprintf("%d answer differently", differing)
	}
	return "all answer the same"
}

// readerStates counts the followers by how they are connected: "3 live".
func (d *demo) readerStates() string {
	counts := map[follower.State]int{}
	for _, r := range d.readers {
		counts[r.Stats().State]++
	}
	var parts []string
	for state, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, state))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// watchReaders tells when all followers are connected in another way than before.
func (d *demo) watchReaders() {
	states := d.readerStates()
	if states == d.readerState || strings.Contains(states, ",") {
		return
	}
	was := d.readerState
	d.readerState = states
	if was == "" || strings.Contains(states, string(follower.Connecting)) {
		return
	}
	switch d.readers[0].Stats().State {
	case follower.NoLeader:
		d.screen.event("the followers hear no leader any more; they go on answering from memory")
	case follower.Live:
		d.screen.event("the followers hear a leader again")
	case follower.Disconnected:
		d.screen.event("the followers do not reach Redis; they go on answering from memory")
	default:
		d.screen.event("followers: " + states)
	}
}
