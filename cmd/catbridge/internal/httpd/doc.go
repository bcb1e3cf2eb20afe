// Package httpd is the HTTP server of a leader process.
//
//	GET, POST /hook/{name} ConfigCat's webhook for the SDK key of that name
//	GET  /healthz         200 as long as the process does its work, also when Redis is away
//	GET  /readyz          200 when all that it is there for works, else 503 and why, for each SDK key
//	GET  /metrics         for Prometheus, if there is a gatherer
//	GET  /status          JSON, if Config.Status is set, see [Status]
//	GET  /debug/pprof/    profiles, if Config.Pprof is set
//
// # Health and readiness
//
// /healthz fails only where a restart helps: when the loop of an SDK key is long overdue.
// Redis or the CDN being out of reach is no reason to restart a process.
//
// /readyz says whether this process takes part, so that a rolling restart goes on to the
// next one: for every SDK key Redis answers, this process or another one is known to
// lead, and there is a config. A candidate with a leader elsewhere is ready. A CDN that
// does not answer makes nobody unready who has a config.
//
// # Bounds
//
// A slow or hostile sender costs others nothing (F33): every request has a deadline, and
// a size for its header and its body. A connection that comes when there are too many
// takes the place of the one that has kept the server waiting longest; one whose
// request is being handled is never given up for that. So probes get their answer however
// many connections are held open.
//
// # Proxies and browsers
//
// A request with both Content-Length and Transfer-Encoding is refused with 400, and its
// connection closed: a proxy in front may take another end of it for the true one. On a
// loopback address /metrics, /status and /debug/pprof/ answer only to a Host that is an
// address, localhost or one of Config.Hosts.
package httpd
