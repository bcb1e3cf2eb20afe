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
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

// reader is one follower, with its own connections.
type reader struct {
	name   string
	client redis.UniversalClient
	*follower.Client
}

type arrival struct {
	reader *reader
	config *evaluate.Config
	at     time.Time
}

// fleetReport is the time between two reports, which the dashboard shows.
const fleetReport = 5 * time.Second

func startReader(name string, to redisurl.Options, sdkKey string, log *slog.Logger, arrived func(arrival)) (*reader, error) {
	r := &reader{name: name, client: to.Client()}
	client, err := follower.New(follower.Config{
		SDKKey: sdkKey, Redis: r.client, Namespace: to.Namespace(), Timings: follower.FastTimings(), FleetReport: fleetReport,
		Logger: log.With("follower", name), LogLevel: follower.LogLevelDebug,
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

// Widths of the table's columns, and the number of flags and followers shown.
const (
	flagWidth   = 24
	answerWidth = 18
	shownFlags  = 6
	shownReader = 4
)

// table prints the values of some flags for each user, and the users' attributes.
func (d *demo) table() {
	var names []string
	for _, u := range d.users {
		names = append(names, u.name)
	}
	lines := []terminal.Styled{"", terminal.Paint(terminal.Bold, row("flag", names))}
	keys := d.readers[0].GetAllKeys()
	sets := make(map[*reader][]answers.Set, len(d.readers))
	for _, r := range d.readers {
		for _, u := range d.users {
			sets[r] = append(sets[r], r.GetAllValues(u.attributes))
		}
	}
	for _, key := range keys[:min(len(keys), shownFlags)] {
		var cells []string
		for i := range d.users {
			cells = append(cells, answers.Text(sets[d.readers[0]][i][key]))
		}
		lines = append(lines, terminal.Sprintf("%s", row(key, cells)))
	}
	note := d.agreement(keys, sets)
	if more := len(keys) - shownFlags; more > 0 {
		note = "… and " + count(more, "more flag") + "; " + note
	}
	lines = append(lines, terminal.Sprintf("%s", note))
	for _, u := range d.users {
		lines = append(lines, terminal.Paint(terminal.Faint, pad(u.name+":", 8)+u.who))
	}
	d.screen.text(append(lines, "")...)
}

func row(flag string, cells []string) string {
	var line strings.Builder
	line.WriteString(pad(clip(terminal.Clean(flag), flagWidth-2), flagWidth))
	for _, cell := range cells {
		line.WriteString(pad(clip(cell, answerWidth-2), answerWidth))
	}
	return strings.TrimRight(line.String(), " ")
}

// agreement returns a note on whether all followers have the same values.
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
	switch {
	case len(d.readers) == 1:
		return "these are the values of the follower"
	case differing > 0:
		return fmt.Sprintf("these are the values of %s; %d of %d followers differ", d.readers[0].name, differing, len(d.readers))
	}
	return fmt.Sprintf("all %d followers have these values", len(d.readers))
}

// readerStates returns the number of followers by state: "3 live".
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

// watchReaders shows when all followers have changed to the same new state.
func (d *demo) watchReaders() {
	states := d.readerStates()
	if states == d.readerState || strings.Contains(states, ",") {
		return
	}
	was := d.readerState
	d.readerState = states
	if was == "" || strings.Contains(states, string(follower.StateConnecting)) {
		return
	}
	switch d.readers[0].Stats().State {
	case follower.StateNoLeader:
		d.screen.event("the followers no longer receive messages of a leader; they evaluate from memory")
	case follower.StateLive:
		d.screen.event("the followers receive messages of a leader again")
	case follower.StateDisconnected:
		d.screen.event("the followers cannot reach Redis; they evaluate from memory")
	default:
		d.screen.eventf("followers: %s", states)
	}
}
