// Package cdn fetches one SDK key's config JSON from the ConfigCat CDN, or from a
// server that replaces it. Leader and followers share it.
//
// [New] returns a [Fetcher]. One caller at a time calls [Fetcher.Fetch]. Between
// fetches the fetcher keeps an idle connection, with net/http's goroutines, until
// [Fetcher.Close] or for 90 seconds. Many fetchers may share connections, see
// [Transports]. A connection is not used again after 5 minutes, so the fetcher notices
// when the DNS name of the CDN changes its address. The fetcher stores no content: the
// caller passes the ETag of the content that it has.
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
// Any other outcome is an [*Error] with one of the codes of this package.
//
// The fetcher retries only network failures, at most twice in one fetch, after
// 100–300 ms and 200–600 ms. It does not retry after a timeout, which has already
// taken long enough. Retry-After is reported, but the fetcher does not wait (S85).
//
// # Time
//
// HTTPTimeout includes the connection and the whole body: a server that sends a byte a
// second gets no more time than a server that sends nothing. If the caller's context
// ends, the fetch ends at once. Its error is then not an *Error; errors.Is finds
// context.Canceled or DeadlineExceeded.
//
// # Size
//
// The size of a body is checked while it is read: the fetcher does not rely on headers.
// JSON nested deeper than 10,000 is rejected. The header has at most 64 KiB. In addition
// to the body, a fetch allocates about its size again while the body grows. Nothing in
// the body's content can increase that.
//
// # Redirects
//
// Between fetches the fetcher remembers only the base URL from p.u. If a fetch from
// that URL fails with any code except 1104, the fetcher forgets it, and the next fetch
// starts at the configured base URL: a wrong or dead URL does not hold clients forever.
// A mode p.r that S86 does not define is followed silently, as in the official SDKs,
// but not away from a configured base URL.
//
// Both kinds of redirect may lead
//
//   - to *.configcat.com, to the host of BaseURL and to AllowedHosts only;
//   - from https to http only if the configured base URL is http;
//   - to loopback, private, link-local and other addresses that are not on the internet
//     only with AllowPrivate, or if host and port are those of BaseURL;
//   - to no URL with user information, query or fragment (p.u), or beyond 2 KiB.
//
// The fetcher's own transport checks the address when it connects: a name cannot
// resolve to another address after the check. With a proxy, or with the caller's
// Transport, the fetcher does not resolve names; it then checks only the list of hosts
// and literal addresses.
//
// # Secrets
//
// No error, including the errors that it wraps, and no log message contains more of the
// SDK key than [Mask] shows, or a password of BaseURL or ProxyURL (S103). An error of
// the transport or of Check that contains one is replaced by an error with a redacted
// text; errors.Is still matches the original, errors.As does not.
package cdn
