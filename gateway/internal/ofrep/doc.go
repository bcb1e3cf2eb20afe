// Package ofrep implements what is particular to the OpenFeature Remote Evaluation Protocol (OFREP
// 0.3.0): how an evaluation context becomes a user, what an answer looks like, its entity tag, and
// the signed URIs of event streams. It does no I/O and knows no HTTP server.
//
//   - [Parse] reads the body of a request. A [Context] has the attributes of a user.
//   - [Single] and [Context.Bulk] evaluate and encode the answer. A [Failure] is an answer with an
//     error.
//   - [Context.ETag] is the entity tag of an answer to many flags.
//   - A [Version] names a content in events, so that processes can order their contents.
//   - A [Signer] makes and verifies the credential in the URI of an event stream.
package ofrep
