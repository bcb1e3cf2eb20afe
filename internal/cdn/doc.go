// Package cdn fetches one SDK key's config JSON from the ConfigCat CDN, or from a
// server that stands in for it. Leader and followers share it.
//
// A [Fetcher] is made with [New] and asked with [Fetcher.Fetch], by one caller at
// a time. Between fetches it keeps an idle connection, with net/http's goroutines,
// until [Fetcher.Close] or for 90 seconds; many fetchers may share connections, see
// [Transports]. A connection takes no request after 5 minutes, so that a change of the
// CDN's name in the DNS is noticed. It holds no content: what the caller has, it names by
// its ETag.
//
// # One fetch
//
//	                     ┌────────────────── redirected, at most 3 requests ──────────────────┐
//	                     ▼                                                                    │
//	base URL ──▶ request with If-None-Match ──▶ 200 ──▶ config JSON ──▶ p.r, p.u (S86) ───────┤
//	                  ▲        │                                            │ final           │
//	                  │        │                                            ▼                 │
//	                  │        │                                       f, Check ──▶ JSON      │
//	    pause, at most│2 times ├──▶ 304 ──▶ NotModified                                       │
//	                  └────────┤                                                              │
//	            network failed └──▶ 301, 302, 303, 307, 308 ──▶ Location ─────────────────────┘
//
// Everything else ends the fetch with an [*Error]:
//
//	1100  403 or 404 (S83)
//	1101  any other status, or an HTTP redirect to where none may lead (S84)
//	1102  no connection within ConnectTimeout, or no whole answer within ReadTimeout (S84)
//	1103  the network or the HTTP protocol failed three times, or the name of a
//	      redirect's host turned out to mean a private address (S84, S85)
//	1104  the third answer still redirects (S87)
//	1105  a body that is empty, too long, compressed otherwise than asked for or
//	      badly, no JSON, refused by S77 or Check, or a redirect by p.u to where none
//	      may lead (S81)
//	1106  304 though no ETag was sent (S82)
//
// Only network failures are tried again, at most twice in one fetch, after
// 100–300 ms and 200–600 ms. A timeout is not: it has cost its time already. So a
// fetch sends at most 5 requests. Retry-After is reported, not waited for (S85).
//
// # Time
//
// ConnectTimeout bounds look-up and connection, and the TLS handshake as much
// again. ReadTimeout bounds a whole request, from its start to the last byte of
// the body, all of that included: a server that sends a byte a second gets no
// longer than one that sends none. The caller's context ends a fetch at once; that
// is no *Error, and errors.Is finds context.Canceled or DeadlineExceeded.
//
// # Size
//
// MaxBodyBytes bounds the body on the wire and decompressed, each while it is
// read: no header is believed. JSON nested deeper than 10,000 is refused. The
// header has at most 64 KiB. Besides the body, about its size again is taken
// while it grows, and nothing that the body's content could make larger.
//
// # Redirects
//
// Between fetches only what p.u taught is remembered. A learnt base URL at which a
// fetch fails, in any way but 1104, is forgotten, and the next fetch begins at the
// configured one: what was announced wrongly, or died, holds nobody for good. A
// mode p.r that S86 does not know is followed silently, as the official SDKs do,
// but not away from a base URL of the configuration.
//
// A redirect of either sort may lead
//
//   - to *.configcat.com, to the host of BaseURL and to AllowedHosts only;
//   - from https to http only if the configured base URL is http;
//   - to loopback, private, link-local and other addresses off the internet only
//     with AllowPrivate, or if it is the very host and port of BaseURL;
//   - to no URL with user information, query or fragment (p.u), or beyond 2 KiB.
//
// The fetcher's own transport looks at the address that it is about to connect
// to, so that no name can mean another address by then. Behind a proxy, which the
// configuration or the environment names for the redirect's target, or with
// a Transport of the caller's, somebody else looks names up: there the list of
// hosts, and literal addresses, are what is checked.
//
// # Secrets
//
// No error, nothing that an error wraps, and no log line holds more of the SDK
// key than [Mask] shows, or a password of BaseURL or ProxyURL (S103). An error of
// the transport or of Check that would is replaced by one with a cleaned text;
// errors.Is sees through it, errors.As does not.
package cdn
