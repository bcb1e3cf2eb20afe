package doctor

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// cdn fetches as a leader does, with the ETag of the content in Redis.
func (d *Doctor) cdn(ctx context.Context, i int) {
	if d.As != Leader {
		d.unknown("not checked: a %s needs no CDN, unless it is online", d.As)
		return
	}
	cfg := d.Settings.LeaderConfig()
	key := cfg.SDKKeys[i]
	var roots *cdn.Roots
	switch {
	case d.transport != nil:
		cfg.ProxyURL = ""
	case cfg.CAFile != "":
		var err error
		if roots, err = cdn.ReadRoots(cfg.CAFile); err != nil {
			d.fault("set cdn.ca_file to a readable file of PEM certificates", "%v", err)
			return
		}
	}
	var events warnings
	broken := 0
	fetcher, err := cdn.New(cdn.Config{
		SDKKey: key.Key, BaseURL: key.BaseURL, DataGovernance: cdn.DataGovernance(key.DataGovernance), Transport: d.transport, ProxyURL: cfg.ProxyURL, Roots: roots,
		ConnectTimeout: cfg.ConnectTimeout, HTTPTimeout: cfg.HTTPTimeout,
		AllowedHosts: key.AllowedHosts, AllowPrivate: key.AllowPrivate, MaxBodyBytes: wire.MaxConfigBytes,
		Logger: slog.New(&events),
		Check: func(json []byte) error {
			config, err := evaluate.Parse(json)
			if err == nil {
				broken = len(config.BrokenFlags())
			}
			return err
		},
	})
	if err != nil {
		d.fault("", "%v", err)
		return
	}
	defer fetcher.Close()
	etag := ""
	if view := d.views[i]; view != nil && view.Content != nil && whole(view.Entry) {
		etag = view.Content.ETag
	}
	began := time.Now()
	answer, err := fetcher.Fetch(ctx, etag)
	took := time.Since(began)
	if err != nil {
		d.fetchFailed(err, took)
		return
	}
	if answer.NotModified {
		d.good("it answers after %v: the content in Redis is current", rounded(took))
	} else {
		d.good("it answers after %[2]v: a config of %[1]d bytes", len(answer.JSON), rounded(took))
	}
	if events.outOfSync {
		d.fault("set data_governance as on the ConfigCat dashboard, to save a redirect with each start",
			"it redirects: data_governance differs from the dashboard")
	} else if answer.Requests > 1 {
		d.good("%d requests were necessary: it redirects, or a request failed", answer.Requests)
	}
	if broken > 0 {
		d.fault(words.AdviceOnBroken, "%s", words.BrokenFlags(broken))
	}
	if !answer.Date.IsZero() {
		// The date is in whole seconds, and may come from a cache of the CDN.
		d.compareClocks("the CDN's clock", answer.Date.Add(time.Second/2).Sub(began.Add(took/2)), took/2+time.Second/2)
	}
}

func (d *Doctor) fetchFailed(err error, took time.Duration) {
	failure, ok := errors.AsType[*cdn.Error](err)
	if !ok {
		d.fault(words.AdviceOnNetwork, "no answer within %v: %v", rounded(took), err)
		return
	}
	advice := words.AdviceOnCDN
	switch failure.Code {
	case cdn.CodeInvalidSDKKey:
		advice = words.AdviceOnSDKKey
	case cdn.CodeInvalidBody, cdn.CodeUnexpectedStatus, cdn.CodeRedirectLoop, cdn.CodeNothingToValidate:
		advice = words.AdviceOnAnswer
	}
	if failure.Err != nil {
		d.fault(advice, "%v (%v)", failure, failure.Err)
		return
	}
	d.fault(advice, "%v", failure)
}

// warnings is a handler that detects cdn.EventOutOfSync in the log of a fetcher.
type warnings struct{ outOfSync bool }

func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		w.outOfSync = w.outOfSync || a.Key == "event_id" && a.Value.Int64() == cdn.EventOutOfSync
		return true
	})
	return nil
}

func (w *warnings) WithAttrs([]slog.Attr) slog.Handler { return w }
func (w *warnings) WithGroup(string) slog.Handler      { return w }
