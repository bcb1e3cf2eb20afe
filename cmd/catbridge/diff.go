package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/wire"
)

const diffLong = `diff prints flag by flag how two configs differ. NAME is the name of the SDK key; with one
SDK key it may be left out. The second config is the current one if it is left out.

` + references + `
Instead of REV, cdn is the config that the CDN serves now: diff asks the CDN with the settings
of --config. A path is the config in that file; write ./2h for a file with such a name, and -
for standard input. Two files are compared without Redis and settings, if both paths end with
.json or contain a slash.

Differences that no evaluation shows, such as white space, are not listed. Exit codes: 0
success, with or without differences; 1 a config is not in the history, or Redis or the CDN
does not answer; 2 wrong usage.

With --json it prints an object with from, to and changes. from and to have what is known of
rev, hash, time and file.`

type diffFlags struct {
	settings settingsFlags
	json     bool
	timeout  time.Duration
}

func newDiff() *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff [NAME] REV|FILE [REV|current|cdn|FILE]",
		Short: "Print flag by flag how two configs differ",
		Long:  diffLong,
		Example: "  catbridge diff old.json new.json\n" +
			"  catbridge diff --config catbridge.yaml shop -1\n" +
			"  catbridge diff --config catbridge.yaml shop 2h -1\n" +
			"  catbridge diff --config catbridge.yaml shop current cdn",
		Args: atMost(3, "the name of an SDK key, and one or two revs"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	addHistorySettings(cmd, &f.settings, &f.timeout)
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

// side is one of the configs that are compared.
type side struct {
	Rev  int64      `json:"rev,omitempty"`
	Hash string     `json:"hash"`
	Time *time.Time `json:"time,omitempty"` // when it came into force
	File string     `json:"file,omitempty"` // its path, or cdn

	config *evaluate.Config
}

// describe names the side on a line.
func (s *side) describe() string {
	if s.File != "" {
		return fmt.Sprintf("%s  %s", s.File, s.Hash[:8])
	}
	e := historyEntry{Rev: s.Rev, Hash: s.Hash, Time: s.Time}
	return e.describe()
}

func (f *diffFlags) run(cmd *cobra.Command, args []string) error {
	if f.timeout <= 0 {
		return usagef("--timeout: %v is not above zero", f.timeout)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	from, to, err := f.sides(ctx, cmd, args)
	if err != nil {
		return err
	}
	changes := evaluate.Diff(from.config, to.config)
	out := stdout(cmd)
	if f.json {
		if changes == nil {
			changes = []evaluate.Change{}
		}
		return out.JSON().Encode(struct {
			From    *side             `json:"from"`
			To      *side             `json:"to"`
			Changes []evaluate.Change `json:"changes"`
		}{from, to, changes})
	}
	if err := out.Linef("--- %s", from.describe()); err != nil {
		return err
	}
	if err := out.Linef("+++ %s", to.describe()); err != nil {
		return err
	}
	for _, c := range changes {
		for line := range strings.Lines(c.String()) {
			if err := out.Linef("%s", strings.TrimSuffix(line, "\n")); err != nil {
				return err
			}
		}
	}
	if len(changes) == 0 {
		return out.Linef("no flag evaluates differently")
	}
	return nil
}

// sides returns the configs that the arguments name. Two files need neither settings nor Redis.
func (f *diffFlags) sides(ctx context.Context, cmd *cobra.Command, args []string) (from, to *side, err error) {
	stdin := cmd.InOrStdin()
	if len(args) == 2 && isFile(args[0]) && isFile(args[1]) {
		if isStdin(args[0]) && isStdin(args[1]) {
			return nil, nil, usagef("standard input can be only one of the files")
		}
		if from, err = fileSide(ctx, stdin, args[0]); err != nil {
			return nil, nil, err
		}
		to, err = fileSide(ctx, stdin, args[1])
		return from, to, err
	}
	h, rest, err := openHistory(ctx, cmd, &f.settings, args)
	if err != nil {
		return nil, nil, err
	}
	switch len(rest) {
	case 0:
		return nil, nil, usagef("give the rev to compare: see 'catbridge diff --help'")
	case 1:
		rest = append(rest, "current")
	case 2:
	default:
		return nil, nil, usagef("no SDK key has the name that is given; catbridge config print lists the names")
	}
	if from, err = h.side(ctx, stdin, written(rest[0])); err != nil {
		return nil, nil, err
	}
	to, err = h.side(ctx, stdin, written(rest[1]))
	return from, to, err
}

// isFile reports whether an argument is the path of a file rather than a name or a rev. It may be
// quoted: no SDK key has the ending, or is the path of a file.
func isFile(argument string) bool {
	if isStdin(argument) || strings.HasSuffix(argument, ".json") {
		return true
	}
	info, err := os.Stat(argument)
	return strings.ContainsRune(argument, os.PathSeparator) && err == nil && !info.IsDir()
}

// side returns the config that an argument names.
func (h *openedHistory) side(ctx context.Context, stdin io.Reader, argument string) (*side, error) {
	if argument == "cdn" {
		json, err := fetchNow(ctx, h.settings, h.key)
		if err != nil {
			return nil, fmt.Errorf("%s: cdn: %w", h.key.Label(), err)
		}
		return newSide("cdn", json)
	}
	i, err := h.Find(argument)
	if errors.Is(err, history.ErrReference) {
		return fileSide(ctx, stdin, argument)
	}
	if err != nil {
		return nil, err
	}
	s := &side{Rev: h.Versions[i].Rev, Hash: h.Versions[i].Hash, Time: newHistoryEntry(h.Versions[i]).Time}
	s.config, err = h.config(i)
	return s, err
}

func fileSide(ctx context.Context, stdin io.Reader, path string) (*side, error) {
	content, err := readArgument(ctx, stdin, path, "a rev, a hash, -1, a time, current, cdn", "diff")
	if err != nil {
		return nil, err
	}
	return &side{File: path, Hash: content.Hash, config: content.Config}, nil
}

// readArgument reads the config in the file that an argument of a command names. others are the other forms
// that the argument may have. It does not quote an argument that names no file: that may be an SDK key.
func readArgument(ctx context.Context, stdin io.Reader, argument, others, command string) (*localcdn.Content, error) {
	content, err := readContent(ctx, stdin, argument)
	if unread, ok := errors.AsType[*fs.PathError](err); ok && !isFile(argument) {
		return nil, usagef("an argument is neither the name of an SDK key nor %s or a file (%w): see 'catbridge %s --help'", others, unread.Err, command)
	}
	if err != nil {
		return nil, usagef("%w", err)
	}
	return content, nil
}

func newSide(file string, json []byte) (*side, error) {
	config, err := evaluate.Parse(json)
	if err != nil {
		return nil, err
	}
	return &side{File: file, Hash: wire.ContentHash(json), config: config}, nil
}

// fetchNow returns the config that the CDN serves, as a leader fetches it.
func fetchNow(ctx context.Context, s *settings.Settings, key settings.SDKKey) ([]byte, error) {
	cfg := s.LeaderConfig()
	var roots *cdn.Roots
	if cfg.CAFile != "" {
		var err error
		if roots, err = cdn.ReadRoots(cfg.CAFile); err != nil {
			return nil, err
		}
	}
	own := *s
	own.SDKKeys = []settings.SDKKey{key}
	fetcher, err := cdn.New(cdn.Config{
		SDKKey: key.Key, BaseURL: key.BaseURL, DataGovernance: cdn.DataGovernance(own.LeaderKeys()[0].DataGovernance),
		ProxyURL: cfg.ProxyURL, Roots: roots, ConnectTimeout: cfg.ConnectTimeout, HTTPTimeout: cfg.HTTPTimeout,
		AllowedHosts: key.AllowedHosts, AllowPrivate: key.AllowPrivate, MaxBodyBytes: wire.MaxConfigBytes,
		Logger: slog.New(slog.DiscardHandler),
		Check: func(json []byte) error {
			_, err := evaluate.Parse(json)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	defer fetcher.Close()
	answer, err := fetcher.Fetch(ctx, "")
	if err != nil {
		return nil, err
	}
	return answer.JSON, nil
}
