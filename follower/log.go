package follower

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/catbridge/catbridge/internal/cdn"
)

// Event ids (S102). The texts of those below 6000 are the official SDKs'; the
// others are this project's own, see the table in the package documentation.
const (
	eventDebug             = 0
	eventConfigNotPresent  = 1000
	eventNoSuchKey         = 1001
	eventEvaluationFailed  = 1002
	eventCacheRead         = 2200
	eventClosedNoEffect    = 3201
	eventLive              = 6000
	eventDisconnected      = 6001
	eventPolling           = 6002
	eventNoLeader          = 6003
	eventLeaderBack        = 6004
	eventApplied           = 6005
	eventRefusedContent    = 6006
	eventRefusedConfig     = 6007
	eventRebase            = 6008
	eventAnomaly           = 6009
	eventLag               = 6010
	eventDeaf              = 6011
	eventIgnoredMessage    = 6012
	eventHookPanic         = 6013
	eventHookSlow          = 6014
	eventCacheReadRecovery = 6015
)

// eventLog writes events as S100 wants them: with the id as attribute event_id, and
// before the text. A disabled level costs no formatting.
type eventLog struct{ logger *slog.Logger } // nil: none

// newEventLog names the SDK key in each event as far as S103 lets it.
func newEventLog(logger *slog.Logger, sdkKey string) eventLog {
	if logger == nil {
		return eventLog{}
	}
	return eventLog{logger.With(slog.String("sdk_key", cdn.Mask(sdkKey)))}
}

func (l eventLog) enabled(level slog.Level) bool {
	return l.logger != nil && l.logger.Enabled(context.Background(), level)
}

func (l eventLog) event(level slog.Level, id int, text string, attrs ...slog.Attr) {
	if !l.enabled(level) {
		return
	}
	attrs = append(attrs, slog.Int("event_id", id))
	l.logger.LogAttrs(context.Background(), level, "["+strconv.Itoa(id)+"] "+text, attrs...)
}

func (l eventLog) debug(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelDebug, id, text, attrs...)
}

func (l eventLog) info(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelInfo, id, text, attrs...)
}

func (l eventLog) warn(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelWarn, id, text, attrs...)
}

func (l eventLog) error(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelError, id, text, attrs...)
}

func errAttr(err error) slog.Attr { return slog.String("error", err.Error()) }
