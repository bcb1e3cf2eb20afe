package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

const cdnLong = `cdn serves a config JSON v6 from a file as ConfigCat's CDN does, with ETags. It accepts every
SDK key that has the form of one: 22 characters, a slash, 22 characters, with
configcat-sdk-1/ before it or not. For example, this made-up one:

  configcat-sdk-1/local-playground-00000/local-playground-00000

Use cdn for local tests: give its address to leaders as --base-url.

cdn follows the file, and serves a new version at once. It rejects an invalid version with an
error, and continues to serve the last valid one. It runs until it receives SIGINT or SIGTERM.`

const cdnExample = `  catbridge cdn --flags config.json --listen 127.0.0.1:8080
  catbridge leader --base-url http://127.0.0.1:8080 --redis redis://localhost:6379 \
    --sdk-key configcat-sdk-1/local-playground-00000/local-playground-00000`

func newCDN() *cobra.Command {
	var (
		flags  flagsFile
		listen string
		logs   settingsFlags
	)
	cmd := &cobra.Command{
		Use:     "cdn",
		Short:   "Serve a config from a file like the CDN, for local tests",
		Long:    cdnLong,
		Example: cdnExample,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.take(cmd); err != nil {
				return err
			}
			if flags.path == "" {
				return usagef("no config: give a file with --flags")
			}
			s, err := logs.load(cmd)
			if err != nil {
				return err
			}
			file, err := flags.open()
			if err != nil {
				return err
			}
			if err := httpd.CheckAddr(listen); err != nil {
				return usagef("--listen: %w", err)
			}
			return serveCDN(cmd, file, listen, newLogger(s.Log, stderr(cmd)))
		},
	}
	flags.addTo(cmd, "`path` of the config JSON")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to listen on; port 0: any free port")
	noCompletion(cmd, "listen")
	logs.Part, logs.Variables = settings.LogOutput, settings.LogOutput
	logs.addTo(cmd)
	return cmd
}

func serveCDN(cmd *cobra.Command, file *localcdn.File, listen string, log *slog.Logger) error {
	listener, err := httpd.Listen(listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	server := localcdn.New(file.Content(), log)
	if err := stdout(cmd).Linef("serving %s, base URL http://%s", file.Path(), listener.Addr()); err != nil {
		return err
	}
	warnBroken(log, file.Content())

	ctx, cancel := context.WithCancel(cmd.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		file.Follow(ctx, func(content *localcdn.Content, err error) {
			if err != nil {
				log.Error("the new version is invalid; the last valid one stays in effect", "error", err)
				return
			}
			if content.ETag == server.Current().ETag {
				log.Info("the file is valid again, and unchanged", "etag", content.ETag)
				return
			}
			server.Publish(content)
			log.Info("serving a new version", "etag", content.ETag, "bytes", len(content.JSON))
			warnBroken(log, content)
		})
	})
	err = server.Serve(ctx, listener)
	cancel()
	wg.Wait()
	return err
}

func warnBroken(log *slog.Logger, content *localcdn.Content) {
	for _, flag := range content.Config.BrokenFlags() {
		log.Warn("a flag of the config has errors; followers return its default value", "flag", flag.Key, "error", flag.Err)
	}
}
