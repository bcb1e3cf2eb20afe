package cdn

import (
	"context"
	"log/slog"
)

// EventOutOfSync is the id of an event of the fetcher (S86).
const EventOutOfSync = 3002 // warn: the data governance is not in sync with the ConfigCat Dashboard

func (f *Fetcher) warnOutOfSync(ctx context.Context) {
	if f.cfg.Logger == nil {
		return
	}
	f.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "[3002] The `dataGovernance` parameter specified at the client initialization "+
		"is not in sync with the preferences on the ConfigCat Dashboard. "+
		"Read more: https://configcat.com/docs/advanced/data-governance/", slog.Int("event_id", EventOutOfSync))
}

// debug logs a message that requires no action, as event 0.
func (f *Fetcher) debug(ctx context.Context, text string, err error) {
	if f.cfg.Logger == nil || !f.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	f.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "[0] "+text, slog.Int("event_id", 0), slog.Any("error", f.redact.err(err)))
}
