// Package httpd is the HTTP server of a leader process.
//
//	GET, POST /hook/{name} ConfigCat's webhook for the SDK key of that name
//	GET  /healthz         200 while the process works, also if Redis is unreachable
//	GET  /readyz          200 if it takes part for every SDK key, else 503; a line for each SDK key
//	GET  /metrics         for Prometheus, if there is a gatherer
//	GET  /status          JSON, if Config.Status is set, see [Status]
//	GET  /debug/pprof/    profiles, if Config.Pprof is set
//	GET, POST /ui/        the dashboard, if Config.NewUI is set
//
// # Health and readiness
//
// /healthz fails only if a restart helps: when the loop of an SDK key is long overdue. An
// unreachable Redis or CDN is not a reason to restart a process.
//
// /readyz reports whether this process takes part, and a rolling restart can continue with the
// next process: for every SDK key, Redis answers, a leader is known, and there is a config. A
// candidate is ready if another process leads. A process that has a config stays ready if the
// CDN does not answer.
//
// # Bounds
//
// A slow or hostile sender does not affect others (F33): every request has a deadline, and
// limits for the size of its header and body. If there are too many connections, a new one
// replaces the one that has kept the server waiting longest, but never one whose request is
// being handled. Probes are therefore answered however many connections are held open.
//
// # Proxies and browsers
//
// A request with both Content-Length and Transfer-Encoding is rejected with 400, and its
// connection is closed: a proxy in front and this server may disagree on where it ends. On a
// loopback address, /metrics, /status and /debug/pprof/ answer only if the Host of the request
// is an IP address, localhost or one of Config.Hosts.
package httpd
