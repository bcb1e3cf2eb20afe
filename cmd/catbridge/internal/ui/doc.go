// Package ui serves the dashboard of catbridge leader and serve, which people open in a browser.
//
// Every page is a template of html/template that is rendered inside layout.html, and is usable
// without JavaScript. Small modules keep an open page current: the server announces changes as
// server-sent events, and the module then requests the content of the page again.
//
// # Access
//
// A request needs a token: a session, which people start on the sign-in page, or the header
// Authorization: Bearer TOKEN. A session is a signed value in a cookie. It contains no secret, ends
// with its token, and is valid in every process that has the token. Only the sign-in page and the
// assets need none. On a loopback address or a Unix socket nobody needs a token, unless a token has
// one of the rights to the dashboard.
//
// # Pages of other sites
//
// Pages of other sites can neither read nor act: the cookie is SameSite=Strict, requests that change
// something must come from the dashboard's own pages by Sec-Fetch-Site or Origin and contain a
// value that only those pages know, and the Host must be the dashboard's own where names of others
// could lead to it. The Content-Security-Policy allows nothing inline and nothing from elsewhere.
package ui
