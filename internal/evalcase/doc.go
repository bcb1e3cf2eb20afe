// Package evalcase reads evaluation cases from JSON and evaluates them. Users and typed
// attributes are encoded as in the conformance tables:
//
//	{"Identifier": "42", "Email": "…", "Country": "…", "Custom": {name: value, …}}
//
// A value is a string, a number, an array of strings, or an object for a value without
// a JSON form: {"$date": "2023-04-01T00:00:00.000Z"}, {"$num": "NaN"},
// {"$int": "5", "type": "uint8"} or {"$float32": 2.1}.
//
// Errors contain the location in the input, for example "cases[1].user.Custom.Age".
package evalcase
