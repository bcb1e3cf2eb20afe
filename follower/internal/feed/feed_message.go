package feed

import (
	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// parse reports whether followers act on the message.
func (f *feed) parse(payload string) (cachekeys.Message, bool) {
	message, err := cachekeys.ParseMessage([]byte(payload))
	switch {
	case err != nil:
		f.inc(&f.n.BadMessages)
		f.log.Debug(eventIgnoredMessage, "A message was ignored.", eventlog.Err(err))
		return message, false
	case !message.Known():
		f.inc(&f.n.Unknown)
		return message, false
	case message.Type == cachekeys.Refresh:
		f.inc(&f.n.RefreshAsked)
		return message, false // for leaders
	case message.Rev != 0 && message.Hash == "":
		f.inc(&f.n.BadMessages)
		f.log.Debug(eventIgnoredMessage, "A message was ignored: it names no content.")
		return message, false
	}
	f.countType(message.Type)
	return message, true
}

func (f *feed) countType(kind cachekeys.MessageType) {
	switch kind {
	case cachekeys.Change:
		f.inc(&f.n.Changes)
	case cachekeys.Heartbeat:
		f.inc(&f.n.Heartbeats)
	case cachekeys.Resign:
		f.inc(&f.n.Resignations)
	}
}
