// Package settings reads what the commands are told, from four sources. What comes
// first here wins:
//
//	flags        --redis-tls-ca-file
//	environment  $CATBRIDGE_REDIS_TLS_CA_FILE
//	a YAML file  redis: {tls: {ca_file: …}}, named by --config or $CATBRIDGE_CONFIG
//	defaults
//
// Names follow from each other as in this example; secrets have no flag. Some settings
// exclude each other, such as the ways to give one password: of those, a source may give
// only one, and it wins as a whole over those of the sources below. A URL of Redis
// counts as all the settings that stand in it. Empty variables count as not set.
//
// Everything that is wrong is told at once, each with file and line, or with the name of
// its flag or variable. No error shows a secret.
package settings
