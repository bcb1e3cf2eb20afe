// Package stream bounds connections that stay open and wait for changes: requests that are held
// until something changes, and server-sent events.
//
//   - A [Topic] has the current value of something and reports when it is replaced. A stream
//     that waits reads the latest value, so a slow one misses values in between but never delays
//     a writer, and nothing is queued for it.
//   - A [Set] admits streams up to its limits, in all and for each client, and ends them: after a
//     random age, so that they spread over the processes behind a load balancer again, and one by
//     one when the process shuts down.
//   - [Stream.Serve] writes server-sent events, in the goroutine of the request. Every write has a
//     deadline. A client that does not read costs its stream until then, and nothing else.
package stream
