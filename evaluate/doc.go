// Package evaluate evaluates the feature flags of a ConfigCat config JSON v6.
//
// [Parse] compiles a config once: it checks the document, resolves segments and
// prerequisites, parses versions, numbers and hashes, and turns long lists into sets.
// [Reparse] does that only for what differs from an earlier config.
// [Config.Evaluate] then walks the compiled rules, without locks; its documentation
// lists what it allocates. A [Config] is immutable: replace it as a whole, for instance
// in an atomic pointer.
//
// The package reads no clock, does no I/O, starts no goroutines and logs nothing.
// A [Trace] collects the log events of an evaluation for the caller to log, and, if it is asked to,
// the evaluation as a tree: see [Explanation].
//
// Results, messages and limits follow the official JavaScript SDK; docs/conformance.md
// lists the few deliberate differences. Numbers such as S72 refer to the rows of
// docs/sdk-surface.md.
package evaluate
