package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
)

const (
	envRedisURL          = "CATBRIDGE_REDIS_URL"
	envRedisPassword     = "CATBRIDGE_REDIS_PASSWORD"
	envRedisPasswordFile = "CATBRIDGE_REDIS_PASSWORD_FILE"
)

// redisFlags are the ways to say which Redis.
type redisFlags struct {
	url          string
	mode         *choice
	passwordFile string
}

// add adds the flags for commands that need a Redis.
func (f *redisFlags) add(cmd *cobra.Command) {
	f.addBare(cmd)
	fromEnvironment(cmd, "redis", envRedisURL)
	fromEnvironment(cmd, "redis-mode", "CATBRIDGE_REDIS_MODE")
}

// addBare adds the flags without variables for the URL: nothing is to happen to a Redis
// that was not named on the command line.
func (f *redisFlags) addBare(cmd *cobra.Command) {
	f.mode = newChoice(string(redisurl.Single), string(redisurl.Sentinel), string(redisurl.Cluster))
	cmd.Flags().StringVar(&f.url, "redis", "", "`URL` of Redis: redis://user:password@host:port/db, rediss:// for TLS, unix:///path; further settings as ?read_timeout=2s")
	f.mode.add(cmd, "redis-mode", "what the URL names: one Redis; Sentinels, with ?master_name=…&addr=host2:port; or nodes of a cluster, with ?addr=host2:port")
	cmd.Flags().StringVar(&f.passwordFile, "redis-password-file", "", "`path` of a file with the password for Redis, if it is neither in the URL nor in $"+envRedisPassword)
	fromEnvironment(cmd, "redis-password-file", envRedisPasswordFile)
}

// read gives the client's options from flags, environment and file.
func (f *redisFlags) read(cmd *cobra.Command) (redisurl.Options, error) {
	if f.url == "" {
		return redisurl.Options{}, usagef("no Redis: give --redis or $%s, such as redis://localhost:6379", envRedisURL)
	}
	where := "--redis"
	if !cmd.Flags().Changed("redis") {
		where = "$" + envRedisURL
	}
	o, err := redisurl.Parse(f.url, redisurl.Mode(f.mode.value))
	if err != nil {
		return o, usagef("%s: %v", where, err)
	}
	password, err := f.password(cmd, *o.Password())
	if err != nil {
		return o, err
	}
	*o.Password() = password
	return o, nil
}

// password is the one in a URL on the command line, else the environment's, be it in
// the URL or by itself, else the file's.
func (f *redisFlags) password(cmd *cobra.Command, inURL string) (string, error) {
	env := os.Getenv(envRedisPassword)
	urlGiven := cmd.Flags().Changed("redis")
	switch {
	case inURL != "" && urlGiven && cmd.Flags().Changed("redis-password-file"):
		return "", usagef("--redis has a password in it, and --redis-password-file is given: give one of them")
	case inURL != "" && !urlGiven && env != "":
		return "", usagef("$%s has a password in it, and $%s is set: set one of them", envRedisURL, envRedisPassword)
	case inURL != "":
		return inURL, nil
	case env != "":
		return env, nil
	case f.passwordFile != "":
		password, err := readSecret("--redis-password-file", f.passwordFile)
		if err == nil && password == "" {
			err = usagef("--redis-password-file: %s is empty", f.passwordFile)
		}
		return password, err
	}
	return "", nil
}
