package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// environmentKey is the annotation of a flag with the variable that stands in for it.
const environmentKey = "catbridge_environment"

// fromEnvironment lets a variable stand in for a flag that is not given.
func fromEnvironment(cmd *cobra.Command, name, variable string) {
	flag := cmd.Flags().Lookup(name)
	flag.Usage += " [$" + variable + "]"
	if flag.Annotations == nil {
		flag.Annotations = map[string][]string{}
	}
	flag.Annotations[environmentKey] = []string{variable}
}

// applyEnvironment sets the flags that are not given from their variables. They do not
// count as changed: what is changed was on the command line.
func applyEnvironment(cmd *cobra.Command) error {
	var err error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		variable := flag.Annotations[environmentKey]
		if flag.Changed || len(variable) == 0 || err != nil {
			return
		}
		if value := os.Getenv(variable[0]); value != "" {
			if cause := flag.Value.Set(value); cause != nil {
				err = badValue("$"+variable[0], flag, value, cause)
			}
		}
	})
	return err
}

// maxSecretFile bounds a file of SDK keys or of a password.
const maxSecretFile = 1 << 20

// readSecret reads a file that holds secrets. Its errors show none of it.
func readSecret(where, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", where, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", where, err)
	}
	switch {
	case len(data) > maxSecretFile:
		return "", fmt.Errorf("%s: %s is larger than %d KiB", where, path, maxSecretFile>>10)
	case bytes.ContainsRune(data, 0):
		return "", fmt.Errorf("%s: %s is no text", where, path)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}
