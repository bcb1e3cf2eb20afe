package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

const probeLong = `%s asks a running catbridge leader or catbridge serve on this machine whether it %s, by
GET %s over HTTP or HTTPS, and prints the answer. It is for images without a shell:
HEALTHCHECK in a Dockerfile, healthcheck in a compose file, or an exec probe in Kubernetes.

It asks the addresses of --address, and then reads no settings: use it in probes, so that changed
settings that the process rejected do not end the process. Without --address it asks the address
that the process listens on according to the same variables and file: listen of a leader or
serve.listen.

Exit codes: 0 yes, at every address; 1 no, or no answer within --timeout; 2 wrong usage.`

type probe struct {
	path        string
	addresses   []string
	ifListening bool
	timeout     time.Duration
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
			for _, address := range p.addresses {
				if _, _, err := net.SplitHostPort(address); err != nil && !strings.HasPrefix(address, httpd.UnixPrefix) {
					return usagef("--address: %q is not host:port or unix:/path", address)
				}
			}
			if len(p.addresses) == 0 {
				s, err := f.load(cmd)
				if err != nil {
					return err
				}
				address, err := addressOf(s)
				if err != nil {
					return err
				}
				p.addresses = []string{address}
			}
			return p.run(cmd)
		},
	}
	f.addTo(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&p.addresses, "address", nil, "`address` of the process: host:port, or unix:/path; may be repeated (default: from the settings)")
	flags.BoolVar(&p.ifListening, "if-listening", false, "ignore addresses at which nothing listens, such as in an image that runs different commands")
	flags.DurationVar(&p.timeout, "timeout", 3*time.Second, "`duration` to wait for all answers")
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
	var errs []error
	for _, address := range p.addresses {
		text, err := httpd.Probe(ctx, address, p.path)
		if p.ifListening && nothingListens(err) {
			text, err = address+": nothing listens", nil
		}
		if text = strings.TrimSpace(text); text != "" {
			if err := stdout(cmd).Linef("%s", text); err != nil {
				return err
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%s: %w", address, p.path, err))
		}
	}
	return errors.Join(errs...)
}

// nothingListens reports whether a connection was refused, or there is no Unix socket.
func nothingListens(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}
