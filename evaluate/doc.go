// Package evaluate turns a ConfigCat config JSON v6 into feature flag values.
//
// [Parse] compiles a config once: it checks the document, resolves segments and
// prerequisites, parses versions and numbers, and builds the sets that lists and
// hashes are looked up in. [Config.Evaluate] then walks the compiled rules, which
// is a switch over data: it calls no closures, takes no locks and allocates
// nothing beyond what its documentation lists. A [Config] is immutable; replacing
// one is the caller's business, for instance through an atomic pointer.
//
// The package reads no clock, does no I/O, starts no goroutine and logs nothing.
// What there is to log is collected in a [Trace], for the caller to write.
//
// Results, texts and limits follow the official JavaScript SDK; the few
// deliberate differences are listed in docs/conformance.md. Rows such as S72 are
// those of the project's checklist of the SDK surface.
package evaluate
