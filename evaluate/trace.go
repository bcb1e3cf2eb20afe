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
	// Log requests the evaluation log, too (5000, S101).
	Log bool

	events []Event
	text   logText
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
	return t.text.breaks
}

// Reset discards the collected events and keeps the memory.
func (t *Trace) Reset() {
	if t == nil {
		return
	}
	clear(t.events)
	t.events = t.events[:0]
}

// log returns the evaluation log, or nil if it is not requested.
func (t *Trace) log() *logText {
	if t == nil || !t.Log {
		return nil
	}
	return &t.text
}

// finish adds the evaluation log, which ends with the returned value.
func (t *Trace) finish(value Value) {
	if log := t.log(); log != nil {
		log.end(value)
		t.add(EventEvaluated, string(log.text))
	}
}

func (t *Trace) add(id EventID, message string) {
	t.events = append(t.events, Event{ID: id, Message: message})
}
