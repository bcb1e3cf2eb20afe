package evaluate

import "log/slog"

// EventID is the number of a log event (S102).
type EventID int

// The events of an evaluation, with their levels.
const (
	EventConfigNotAvailable EventID = 1000 // error: no config is loaded yet
	EventNoSuchKey          EventID = 1001 // error: the config has no such setting
	EventEvaluationFailed   EventID = 1002 // error: an evaluation failed for another reason
	EventUserMissing        EventID = 3001 // warn: a setting needs a user, but there is none
	EventAttributeMissing   EventID = 3003 // warn: the user lacks an attribute
	EventAttributeInvalid   EventID = 3004 // warn: an attribute does not fit its comparator
	EventAttributeConverted EventID = 3005 // warn: an attribute was converted to a string
	EventEvaluated          EventID = 5000 // info: the evaluation log
)

// Level returns the level at which to log the event.
func (id EventID) Level() slog.Level {
	switch {
	case id < 2000:
		return slog.LevelError
	case id < 5000:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// Event is a log event.
type Event struct {
	// ID determines the level.
	ID EventID
	// Message does not contain the ID. That of the evaluation log (5000) has several lines.
	Message string
}

// Trace collects the log events of evaluations for the caller to log. A nil *Trace collects
// nothing and costs nothing. The zero Trace collects warnings (3001, 3003, 3004, 3005) and
// allocates only if there are any. Evaluations append to what it contains, until Reset. It is not
// safe for concurrent use.
type Trace struct {
	// Log requests the evaluation log, too (5000, S101). Its lines are indented by 64 levels at most.
	Log bool
	// Explain requests the evaluation as a tree, too: see [Trace.Explanation].
	Explain bool

	events []Event
	record record
}

// Events returns the events collected so far, in the order in which to log them. The slice is
// valid until the next use of the trace.
func (t *Trace) Events() []Event {
	if t == nil {
		return nil
	}
	return t.events
}

// LineBreaks returns the offsets of the line feeds that separate the lines of the last
// evaluation log (5000), in ascending order. All other line feeds in its message are parts of
// names and values. The slice is valid until the next use of the trace.
func (t *Trace) LineBreaks() []int {
	if t == nil {
		return nil
	}
	return t.record.text.breaks
}

// Explanation returns the last evaluation as a tree, or nil if there was none with Explain since
// Reset. Like the log, it is that of a setting that the config has. It stays valid.
func (t *Trace) Explanation() *Explanation {
	if t == nil || t.record.tree == nil {
		return nil
	}
	return t.record.tree.explanation
}

// Reset discards the collected events and the tree, and keeps the memory.
func (t *Trace) Reset() {
	if t == nil {
		return
	}
	clear(t.events)
	t.events = t.events[:0]
	t.record.tree = nil
}

// log returns what follows the rule walk, or nil if neither the evaluation log nor the tree is
// requested.
func (t *Trace) log() *record {
	if t == nil || !t.Log && !t.Explain {
		return nil
	}
	return &t.record
}

func (t *Trace) begin(s *setting, u *user) {
	if r := t.log(); r != nil {
		r.log, r.explain = t.Log, t.Explain
		r.begin(s, u)
	}
}

// finish ends the log and the tree with the returned value, and with err if the evaluation failed.
func (t *Trace) finish(value Value, err *Error) {
	r := t.log()
	if r == nil {
		return
	}
	r.end(value, err)
	if r.log {
		t.add(EventEvaluated, string(r.text.text))
	}
}

func (t *Trace) add(id EventID, message string) {
	t.events = append(t.events, Event{ID: id, Message: message})
}
