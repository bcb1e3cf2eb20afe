package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"reflect"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/internal/watchfile"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/metrics"
)

type reloader struct {
	load    func() (*settings.Settings, error)
	running *settings.Settings             // from the start of the process
	apply   func(*settings.Settings) error // the SDK keys and what else needs no restart
	part    settings.Part                  // what the process uses
	level   *slog.LevelVar
	log     *slog.Logger
	hangups <-chan os.Signal
	metrics *metrics.ReloadCollector

	current *settings.Settings // whose SDK keys are in effect
	read    string             // hash of the files as last read, valid or not
	files   []string           // of the settings as last read
}

func (r *reloader) run(ctx context.Context) error {
	r.current, r.read = r.running, r.running.Read
	if pipes := r.running.Pipes; len(pipes) > 0 {
		r.log.Info("settings came from a pipe, which is read only once; changes need a restart", "pipes", pipes)
		<-ctx.Done()
		return nil
	}
	watcher := watchfile.New(r.running.Files...)
	defer watcher.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.C:
			if !r.look(false) {
				watcher.Recheck()
			}
		case <-r.hangups:
			if !r.look(true) {
				watcher.Recheck()
			}
		}
		watcher.Watch(r.files...)
	}
}

// look reads the settings again, and applies changes. If asked is true, it also logs that nothing
// changed. If the settings could not be loaded, a later attempt may succeed even if no file
// changes.
func (r *reloader) look(asked bool) (loaded bool) {
	s, err := r.load()
	r.files, loaded = s.Files, err == nil
	if s.Read == r.read && !asked {
		return loaded
	}
	same := s.Read == r.current.Read
	r.read = s.Read
	if err == nil && !same {
		err = r.apply(s)
	}
	switch {
	case err != nil:
		for _, warning := range s.Warnings { // they may explain the errors
			r.log.Warn(warning)
		}
		r.refuse(err)
		r.metrics.Rejected()
	case same:
		r.metrics.Applied()
		r.log.Info("the settings have not changed")
	default:
		r.metrics.Applied()
		r.level.Set(levelOf(s.Log.Level))
		r.logChanges(s)
		r.current = s
	}
	return loaded
}

func (r *reloader) refuse(err error) {
	const text = "the changed settings are invalid; the running ones stay in effect"
	faults, ok := errors.AsType[settings.Faults](err)
	if !ok {
		r.log.Error(text, "error", err)
	}
	for _, fault := range faults {
		r.log.Error(text, "where", fault.Where, "error", fault.Text)
	}
}

// logChanges logs the changes that take effect, and those that need a restart.
func (r *reloader) logChanges(s *settings.Settings) {
	attrs := []any{"sdk_keys", len(s.SDKKeys)}
	for _, part := range []struct {
		name  string
		names []string
	}{
		{"added", labels(s, r.current, nil)},
		{"removed", labels(r.current, s, nil)},
		{"changed", labels(s, r.current, func(a, b leader.SDKKey) bool { return !reflect.DeepEqual(a, b) })},
	} {
		if len(part.names) > 0 {
			attrs = append(attrs, part.name, part.names)
		}
	}
	if now, before := s.Log.Level, r.current.Log.Level; now != before {
		attrs = append(attrs, "log_level", now)
	}
	r.log.Info("changed settings are in effect", attrs...)
	if names := r.running.Restart(s, r.part); len(names) > 0 {
		r.log.Warn("changes of these settings need a restart", "settings", names)
	}
	for _, warning := range s.Warnings {
		r.log.Warn(warning)
	}
}

// labels returns the names of the SDK keys of one that are not in other, or, if differ is not
// nil, of those in both that differ.
func labels(one, other *settings.Settings, differ func(a, b leader.SDKKey) bool) []string {
	var names []string
	others := map[string]leader.SDKKey{}
	for i, k := range other.LeaderKeys() {
		others[other.SDKKeys[i].Label()] = k
	}
	for i, k := range one.LeaderKeys() {
		name := one.SDKKeys[i].Label()
		before, ok := others[name]
		if differ == nil && !ok || differ != nil && ok && differ(k, before) {
			names = append(names, name)
		}
	}
	return names
}
