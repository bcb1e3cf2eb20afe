// Package settings reads the settings of the commands from four sources. The first one
// that gives a setting wins:
//
//	flags        --redis-tls-ca-file
//	environment  $CATBRIDGE_REDIS_TLS_CA_FILE
//	a YAML file  redis: {tls: {ca_file: …}}, named by --config or $CATBRIDGE_CONFIG
//	defaults
//
// Flags, variables and names in the file follow from each other as in this example; secrets
// have no flag. Some settings exclude each other, such as the ways to give one password. A
// source may give only one of them, and that one replaces all of them from the sources
// below. A Redis URL counts as all the settings that it contains. Empty variables count as
// not set.
//
// All errors are reported at once, each with file and line, or with the name of its flag or
// variable. No error shows a secret.
package settings
