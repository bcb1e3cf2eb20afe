package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/internal/cdn"
)

const (
	envSDKKey     = "CATBRIDGE_SDK_KEY"
	envSDKKeyFile = "CATBRIDGE_SDK_KEY_FILE"
)

// sdkKeyFlags are the ways to give SDK keys.
type sdkKeyFlags struct {
	keys []string
	file string
}

// namedKey is an SDK key with the name that stands for it in logs.
type namedKey struct{ name, key string }

// label is what to call the key in messages.
func (k namedKey) label() string {
	if k.name != "" {
		return k.name
	}
	return cdn.Mask(k.key)
}

func (f *sdkKeyFlags) add(cmd *cobra.Command, usage string) {
	cmd.Flags().StringArrayVar(&f.keys, "sdk-key", nil, usage+" [$"+envSDKKey+"]")
	cmd.Flags().StringVar(&f.file, "sdk-key-file", "", "`path` of a file with SDK keys, one a line, # begins a comment")
	fromEnvironment(cmd, "sdk-key-file", envSDKKeyFile)
}

// read gives the SDK keys from the flags, else from the environment, else from the
// file. customBaseURL admits the keys of proxies (S3).
func (f *sdkKeyFlags) read(cmd *cobra.Command, customBaseURL bool) ([]namedKey, error) {
	if cmd.Flags().Changed("sdk-key") && cmd.Flags().Changed("sdk-key-file") {
		return nil, usagef("--sdk-key and --sdk-key-file are both given: give one of them")
	}
	switch env := os.Getenv(envSDKKey); {
	case cmd.Flags().Changed("sdk-key"):
		return parseKeys("--sdk-key", f.keys, customBaseURL)
	case env != "":
		return parseKeys("$"+envSDKKey, strings.FieldsFunc(env, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }), customBaseURL)
	case f.file != "":
		text, err := readSecret("--sdk-key-file", f.file)
		if err != nil {
			return nil, err
		}
		return parseKeys("--sdk-key-file "+f.file, keyLines(text), customBaseURL)
	}
	return nil, usagef("no SDK key: give --sdk-key, $%s or --sdk-key-file", envSDKKey)
}

// one is read for commands that work on a single SDK key.
func (f *sdkKeyFlags) one(cmd *cobra.Command) (namedKey, error) {
	keys, err := f.read(cmd, false)
	if err != nil {
		return namedKey{}, err
	}
	if len(keys) > 1 {
		return namedKey{}, usagef("%d SDK keys are given, but %s works on one", len(keys), cmd.Name())
	}
	return keys[0], nil
}

func keyLines(text string) []string {
	var keys []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			keys = append(keys, line)
		}
	}
	return keys
}

// parseKeys reads keys, each perhaps with a name: name=key. An SDK key has a slash
// before any =, a name has none at all.
func parseKeys(where string, texts []string, customBaseURL bool) ([]namedKey, error) {
	var keys []namedKey
	for _, text := range texts {
		key := namedKey{key: text}
		if name, rest, ok := strings.Cut(text, "="); ok && !strings.Contains(name, "/") {
			key = namedKey{name: name, key: rest}
			if name == "" {
				return nil, usagef("%s: no name stands before the =", where)
			}
		}
		if err := cdn.CheckSDKKey(key.key, customBaseURL); err != nil {
			return nil, usagef("%s: %v", where, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, usagef("%s: there is no SDK key in it", where)
	}
	return keys, nil
}
