package evaluate

// EventID is the number of a log event (S102).
type EventID int

// The events of an evaluation.
const (
	EventConfigNotAvailable EventID = 1000
	EventNoSuchKey          EventID = 1001
	EventEvaluationFailed   EventID = 1002
	EventUserMissing        EventID = 3001
	EventAttributeMissing   EventID = 3003
	EventAttributeInvalid   EventID = 3004
	EventAttributeConverted EventID = 3005
	EventEvaluated          EventID = 5000
)

// Level returns the level of the event: "ERROR", "WARNING" or "INFO".
func (id EventID) Level() string {
	switch {
	case id < 2000:
		return "ERROR"
	case id < 5000:
		return "WARNING"
	default:
		return "INFO"
	}
}

// Event is a log event.
type Event struct {
	ID      EventID
	Message string
}

// Trace collects the log events of evaluations for the caller to log. A nil *Trace collects
// nothing and costs nothing. The zero Trace collects warnings (3001, 3003, 3004, 3005) and
// allocates only if there are any. It serves one evaluation at a time; Reset prepares it for the
// next.
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
