// Package cases reads evaluation cases from JSON and answers them. Users and typed
// attributes are encoded as in the conformance tables:
//
//	{"Identifier": "42", "Email": "…", "Country": "…", "Custom": {name: value, …}}
//
// where a value is a text, a number, an array of texts, or an object for what JSON has
// no form of: {"$date": "2023-04-01T00:00:00.000Z"}, {"$num": "NaN"},
// {"$int": "5", "type": "uint8"} or {"$float32": 2.1}.
//
// Errors say where in the input they are, as in "cases[1].user.Custom.Age".
package cases
