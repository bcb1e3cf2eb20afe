package main

import (
	"strconv"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/follower"
)

type report struct {
	out  *terminal.Output
	json bool
	now  func() time.Time
}

func newReport(out *terminal.Output, asJSON bool) *report {
	return &report{out: out, json: asJSON, now: time.Now}
}

const reportTime = "2006-01-02T15:04:05.000Z"

type event struct {
	Time    string         `json:"time"`
	Event   string         `json:"event"`
	State   follower.State `json:"state,omitempty"`
	Control *int64         `json:"control,omitempty"`
	Rev     int64          `json:"rev,omitempty"`
	Hash    string         `json:"hash,omitempty"`
	ETag    string         `json:"etag,omitempty"`
	Source  string         `json:"source,omitempty"`
	Values  answers.Set    `json:"values,omitzero"`
	Changes []eventChange  `json:"changes,omitzero"`
}

// eventChange has no From if the flag is new, and no To if it was removed.
type eventChange struct {
	Key  string `json:"key"`
	From *any   `json:"from,omitempty"`
	To   *any   `json:"to,omitempty"`
}

func (r *report) state(state follower.State) error {
	return r.write(event{Event: "state", State: state}, []terminal.Styled{terminal.Sprintf("state %s", terminal.Paint(stateStyle(state), string(state)))})
}

// control reports the seq of the control that is in force; 0: none.
func (r *report) control(seq int64) error {
	line := terminal.Sprintf("control ended")
	if seq != 0 {
		line = terminal.Sprintf("control %s", terminal.Paint(terminal.Yellow, "in force seq="+strconv.FormatInt(seq, 10)))
	}
	return r.write(event{Event: "control", Control: &seq}, []terminal.Styled{line})
}

func (r *report) config(stats follower.Stats, keys []string, values answers.Set) error {
	lines := []terminal.Styled{terminal.Sprintf("config %s", place(stats))}
	for _, key := range keys {
		if value, ok := values[key]; ok {
			lines = append(lines, terminal.Sprintf("value %s = %s", key, answers.Text(value)))
		} else {
			lines = append(lines, terminal.Sprintf("value %s: unknown flag", key))
		}
	}
	return r.write(contentEvent("config", stats, values, nil), lines)
}

func (r *report) change(stats follower.Stats, changes []answers.Change) error {
	lines := []terminal.Styled{terminal.Sprintf("change %s", place(stats))}
	if len(changes) == 0 {
		lines[0] += ": the same values"
	}
	list := make([]eventChange, 0, len(changes))
	for _, c := range changes {
		lines = append(lines, terminal.Sprintf("value %s", terminal.Paint(terminal.Bold, c.String())))
		e := eventChange{Key: c.Key}
		if !c.Added {
			e.From = &c.From
		}
		if !c.Removed {
			e.To = &c.To
		}
		list = append(list, e)
	}
	return r.write(contentEvent("change", stats, nil, list), lines)
}

func contentEvent(kind string, stats follower.Stats, values answers.Set, changes []eventChange) event {
	return event{
		Event: kind, Rev: stats.Rev, Hash: stats.Hash, ETag: stats.ETag, Source: string(stats.Source),
		Values: values, Changes: changes,
	}
}

func place(stats follower.Stats) terminal.Styled {
	return terminal.Sprintf("rev=%d hash=%.12s", stats.Rev, stats.Hash)
}

func stateStyle(state follower.State) terminal.Style {
	switch state {
	case follower.StateLive:
		return terminal.Green
	case follower.StateConnecting:
		return terminal.Faint
	}
	return terminal.Yellow
}

// write prints the event as JSON, or else its lines, each with the time.
func (r *report) write(e event, lines []terminal.Styled) error {
	e.Time = r.now().UTC().Format(reportTime)
	if r.json {
		return r.out.JSON().Encode(e)
	}
	for _, line := range lines {
		if err := r.out.Linef("%s %s", terminal.Paint(terminal.Faint, e.Time), line); err != nil {
			return err
		}
	}
	return nil
}
