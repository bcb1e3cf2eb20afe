package main

import (
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

const configLong = `config checks or prints the settings of a leader. If several of these sources
give a setting, the first one wins:

  flags        --redis-tls-ca-file ca.pem
  environment  CATBRIDGE_REDIS_TLS_CA_FILE=ca.pem
  YAML file    redis: {tls: {ca_file: ca.pem}}    named by --config or $CATBRIDGE_CONFIG
  defaults

The names follow from each other as in this example. Passwords and signing keys have no
flag. Paths in the file are relative to its folder. Files must be regular files; only the
settings and keys themselves may be in a pipe, which is read once, at the start. In the
file, each SDK key can have its own settings, which win over the common ones:

  sdk_keys:
    - name: shop                # replaces the key in logs, metrics and webhooks
      key_file: shop.key        # or key, or key_env: the name of a variable
      poll_interval: 30s        # also: base_url, data_governance, allowed_hosts, allow_private
      webhook_key_files: [shop.webhook]    # also: webhook_keys, webhook_keys_env
  redis:
    url: rediss://leader@redis.example.com:6380
    password_file: redis.password
  listen: :8080

The other commands read the settings that they need, such as SDK keys and Redis, from the
same file. deploy/catbridge.yaml in the repository shows all settings.`

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check or print a leader's settings",
		Long:  configLong,
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newConfigCommand("check", "Report all errors in a leader's settings",
			`check reports all errors in the settings that a leader would run with, each with file and
line, or with the name of the flag or variable. It opens no connections.

Exit codes: 0 the settings are valid; 2 they are not.`, checkConfig),
		newConfigCommand("print", "Print a leader's settings, and where each comes from",
			`print prints the settings that a leader would run with as a YAML file. A comment names the
source of each setting. Secrets are masked.`, printConfig),
	)
	return cmd
}

func newConfigCommand(use, short, long string, run func(*cobra.Command, *settings.Settings) error) *cobra.Command {
	var f settingsFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		Example: "  catbridge config " + use + " --config catbridge.yaml",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.load(cmd)
			if err != nil {
				return err
			}
			if err := printWarnings(cmd, s); err != nil {
				return err
			}
			return run(cmd, s)
		},
	}
	f.add(cmd, settings.Leader)
	return cmd
}

func checkConfig(cmd *cobra.Command, s *settings.Settings) error {
	return stdout(cmd).Linef("the settings are valid: %d SDK key(s), Redis at %s", len(s.SDKKeys), s.RedisOptions.Address())
}

func printConfig(cmd *cobra.Command, s *settings.Settings) error {
	text, err := s.YAML()
	if err != nil {
		return err
	}
	_, err = stdout(cmd).Write(text)
	return err
}
