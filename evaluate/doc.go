// Package evaluate evaluates the feature flags of a ConfigCat config JSON v6.
//
// [Parse] compiles a config once: it checks the document, resolves segments and
// prerequisites, parses versions and numbers, and builds sets for long lists and
// hashes. [Config.Evaluate] then walks the compiled rules. It calls no closures,
// takes no locks and allocates only what its documentation lists. A [Config] is
// immutable; the caller replaces it, for instance through an atomic pointer.
//
// The package reads no clock, does no I/O, starts no goroutines and logs nothing.
// A [Trace] collects the log events of an evaluation for the caller to log.
//
// Results, messages and limits follow the official JavaScript SDK;
// docs/conformance.md lists the few deliberate differences. Row numbers such as
// S72 refer to the project's checklist of the SDK surface.
package evaluate
