package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

const probeLong = `%s asks a running catbridge leader or catbridge serve on this machine whether it %s, by
GET %s, and prints the answer. It is for images without a shell: HEALTHCHECK in a
Dockerfile, healthcheck in a compose file, or an exec probe in Kubernetes.

It asks the address of --address. By default, this is the one that the process listens on
according to the same variables and file: listen of a leader or serve.listen.

Exit codes: 0 yes; 1 no, or no answer within --timeout; 2 wrong usage.`

type probe struct {
	path    string
	address string
	tls     bool
	timeout time.Duration
}

func newHealth() *cobra.Command {
	return newProbe("health", "Report whether a leader or serve process on this machine works", "works", "/healthz")
}

func newReady() *cobra.Command {
	return newProbe("ready", "Report whether a leader or serve process on this machine is ready", "is ready", "/readyz")
}

func newProbe(use, short, question, path string) *cobra.Command {
	p := probe{path: path}
	f := settingsFlags{Options: settings.Options{Variables: settings.LeaderOnly | settings.ServeOnly, File: true}}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: fmt.Sprintf(probeLong, use, question, path),
		Example: "  catbridge " + use + " --address 127.0.0.1:8093",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.timeout <= 0 {
				return usagef("--timeout: %v is not above zero", p.timeout)
			}
			if _, _, err := net.SplitHostPort(p.address); err != nil && p.address != "" && !strings.HasPrefix(p.address, httpd.UnixPrefix) {
				return usagef("--address: %q is not host:port or unix:/path", p.address)
			}
			if p.address == "" {
				s, err := f.load(cmd)
				if err != nil {
					return err
				}
				if p.address, err = addressOf(s); err != nil {
					return err
				}
				p.tls = p.tls || p.address == s.Serve.Listen && s.ServesTLS()
			}
			return p.run(cmd)
		},
	}
	f.addTo(cmd)
	flags := cmd.Flags()
	flags.StringVar(&p.address, "address", "", "`address` of the process: host:port, or unix:/path (default: from the settings)")
	flags.BoolVar(&p.tls, "tls", false, "the process serves HTTPS")
	flags.DurationVar(&p.timeout, "timeout", 3*time.Second, "`duration` to wait for the answer")
	noCompletion(cmd, "address", "timeout")
	return cmd
}

// addressOf returns the address that a process with these settings listens on.
func addressOf(s *settings.Settings) (string, error) {
	switch leads, serves := s.Listen != "", s.Serve.Listen != settings.ServeListen; {
	case leads && serves:
		return "", usagef("both listen and serve.listen are given: select one with --address")
	case leads:
		return s.Listen, nil
	default:
		return s.Serve.Listen, nil
	}
}

func (p *probe) run(cmd *cobra.Command) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), p.timeout)
	defer cancel()
	text, err := httpd.Probe(ctx, p.address, p.path, p.tls)
	if text = strings.TrimSpace(text); text != "" {
		if err := stdout(cmd).Linef("%s", text); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("%s%s: %w", p.address, p.path, err)
	}
	return nil
}
