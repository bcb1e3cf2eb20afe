package feed

import (
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
)

// parse reports whether followers act on the message.
func (f *feed) parse(payload string) (wire.Message, bool) {
	message, err := wire.ParseMessage([]byte(payload))
	switch {
	case err != nil:
		f.inc(&f.n.BadMessages)
		f.log.Debug(eventid.IgnoredMessage, "A message was ignored.", eventlog.Err(err))
		return message, false
	case !message.Known():
		f.inc(&f.n.Unknown)
		return message, false
	case message.Type == wire.Refresh:
		f.inc(&f.n.RefreshAsked)
		return message, false // for leaders
	case message.Type == wire.Control:
		f.inc(&f.n.ControlAsked)
		return message, false // for leaders: what they make current then counts
	case message.Rev != 0 && message.Hash == "":
		f.inc(&f.n.BadMessages)
		f.log.Debug(eventid.IgnoredMessage, "A message was ignored: it names no content.")
		return message, false
	}
	f.countType(message.Type)
	return message, true
}

func (f *feed) countType(kind wire.MessageType) {
	switch kind {
	case wire.Change:
		f.inc(&f.n.Changes)
	case wire.Heartbeat:
		f.inc(&f.n.Heartbeats)
	case wire.Resign:
		f.inc(&f.n.Resignations)
	}
}
