package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
)

// serving is a catbridge serve process, as the SDKs of applications reach it.
type serving struct {
	base      *url.URL
	transport *http.Transport
	configs   []*servedConfig // of the SDK keys in their order; nil: it was not served
}

type servedConfig struct {
	json []byte
	etag string
}

const errorBytes = 4 << 10 // the most that is read of answers other than configs; the rest is cut off

// examineServe checks a serve process. It asks as the official SDKs do, but in no polling mode, so
// that no request is held. It follows no redirects.
func (d *Doctor) examineServe(ctx context.Context) {
	d.serving = &serving{
		transport: &http.Transport{
			DisableCompression: true, ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.roots},
		},
		configs: make([]*servedConfig, len(d.Settings.SDKKeys)),
	}
	defer d.serving.transport.CloseIdleConnections()
	if d.all(ctx, step{name: "serve URL", run: d.serveURL}) && d.all(ctx, step{name: "serve network", run: d.serveNetwork}) {
		d.all(ctx,
			step{name: "serve ready", run: d.serveReady},
			step{name: "serve config", each: d.serveConfig},
			step{name: "serve ETag", each: d.serveETag},
			step{name: "serve gzip", each: d.serveGzip},
			step{name: "serve stream", each: d.serveStream},
		)
	}
}

func (d *Doctor) serveURL(context.Context) {
	const advice = "write it like http://127.0.0.1:8093 or https://flags.example.com, as in the SDK's option for the base URL"
	u, err := url.Parse(d.Serve)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		d.fault(advice, "it is not a URL with http:// or https:// and a host")
	case u.User != nil:
		d.fault(advice, "it contains a user: SDKs send no credentials but the key in the path")
	case !isPort(u.Port()):
		d.fault(advice, "its port is not between 1 and 65535")
	case u.EscapedPath() != "" && u.EscapedPath() != "/":
		d.fault(advice+"; in a proxy, map a host name to serve rather than a path", "it has a path, which some SDKs drop")
	case strings.ContainsAny(d.Serve, "?#"):
		d.fault(advice, "it has a query or a fragment")
	default:
		d.serving.base = u
		d.good("%s has the form of a base URL", u)
	}
}

// serveNetwork connects, and does the TLS handshake. Every answer shows that a server is there.
func (d *Doctor) serveNetwork(ctx context.Context) {
	began := time.Now()
	res, _, err := d.ask(ctx, "/healthz")
	took := time.Since(began)
	if err != nil {
		d.unreachable(err)
		return
	}
	address := d.serving.base.Host
	switch {
	case res.TLS != nil:
		until := res.TLS.PeerCertificates[0].NotAfter
		if time.Until(until) < expiresSoon {
			d.fault("renew the certificate", "the certificate of %s expires at %s", address, until.UTC().Format(time.RFC3339))
			d.bad = false // the other checks can run
			return
		}
		d.good("%s answers with %s, after %v; its certificate is valid until %s",
			address, tls.VersionName(res.TLS.Version), rounded(took), until.UTC().Format(time.DateOnly))
	case res.StatusCode == http.StatusBadRequest:
		d.fault("if it serves TLS, write https://", "%s answers %s", address, status(res))
	case !isLoopback(d.serving.base.Hostname()):
		d.good("%s answers without TLS, after %v: keys are in the path, so use TLS unless the network is trusted", address, rounded(took))
	default:
		d.good("%s answers without TLS, after %v", address, rounded(took))
	}
}

func (d *Doctor) unreachable(err error) {
	advice := "check that catbridge serve runs there, and that no firewall blocks the connection"
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		advice = "check the name in the URL, and this host's DNS"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		advice = "SDKs reject it too: use a certificate for this name from an authority that the applications trust ($SSL_CERT_FILE for this command)"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		advice = "if it serves no TLS, write http://"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s does not answer within %v", d.serving.base.Host, d.Timeout)
	}
	d.fault(advice, "%v", err)
}

func (d *Doctor) serveReady(ctx context.Context) {
	res, body, err := d.ask(ctx, "/readyz")
	if err != nil {
		d.unreachable(err)
		return
	}
	text := strings.Join(strings.Split(strings.TrimSpace(string(body)), "\n"), "; ")
	ready := text == "ready" || strings.HasPrefix(text, "ready; ")
	switch {
	case res.StatusCode == http.StatusOK && ready:
		d.good("%s", text)
	case res.StatusCode == http.StatusOK:
		d.unknown("/readyz answers with another page: a proxy in front does not pass it on, or this is not catbridge serve")
	case res.StatusCode == http.StatusServiceUnavailable:
		d.fault("check that leaders run and that serve reaches Redis: run catbridge doctor --as follower with the settings of serve", "%s", text)
	default:
		d.unknown("/readyz answers %s: a proxy in front does not pass it on, or this is not catbridge serve", status(res))
	}
}

func (d *Doctor) serveConfig(ctx context.Context, i int) {
	key := d.Settings.SDKKeys[i].Key
	res, body, err := d.askConfig(ctx, key)
	if err != nil {
		d.unreachable(err)
		return
	}
	if res.StatusCode != http.StatusOK {
		d.refused(res, body)
		return
	}
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" {
		d.fault("let the proxy in front compress only for clients that accept it: some SDKs never decompress",
			"the config has the encoding %s, which was not asked for", encoding)
		return
	}
	const another = "check that the URL is that of catbridge serve, and that no proxy answers instead of it"
	config, err := evaluate.Parse(body)
	if err != nil {
		d.fault(another, "the answer is not a config: %v", err)
		return
	}
	var preferences struct {
		P struct {
			R int `json:"r"`
		} `json:"p"`
	}
	if err := json.Unmarshal(body, &preferences); err == nil && preferences.P.R != 0 {
		d.fault(another, "the config sends SDKs to another base URL (p.r is %d), which serve's never does", preferences.P.R)
		return
	}
	served := &servedConfig{json: body, etag: res.Header.Get("Etag")}
	if served.etag == "" {
		d.fault("let the proxy in front pass ETag on", "the config has no ETag, so SDKs download it with each poll")
		return
	}
	d.serving.configs[i] = served
	confirmed := ""
	if age := res.Header.Get("X-Catbridge-Age"); age != "" {
		confirmed = ", confirmed by the CDN " + age + " s ago"
	}
	d.good("%s receives a config of %d bytes with %d flag(s)%s", cdn.Mask(key), len(body), len(config.Keys()), confirmed)
}

// refused reports the answer to a request for a config that is not a config.
func (d *Doctor) refused(res *http.Response, body []byte) {
	advice := "check that the URL is that of catbridge serve, and that no proxy answers instead of it"
	switch {
	case res.StatusCode == http.StatusNotFound:
		advice = "compare the SDK key, or the name and the token, with the settings of serve; a name without a token works only on serve's own machine. An SDK takes this answer as final"
	case res.StatusCode == http.StatusServiceUnavailable:
		text, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
		d.fault("check that leaders run, that they reach the CDN, and that serve reaches Redis", "it answers %s: %s", status(res), text)
		return
	case res.StatusCode == http.StatusUnauthorized:
		advice = "serve.tls.client_ca_file is set, so applications need a client certificate, and this command has none"
	case res.StatusCode/100 == 3:
		advice = "let the proxy in front pass requests on instead: not all SDKs follow redirects"
	}
	d.fault(advice, "it answers %s", status(res))
}

// serveETag asks again as an SDK with the current config does. If the config has changed in
// between, it asks once more.
func (d *Doctor) serveETag(ctx context.Context, i int) {
	served := d.serving.configs[i]
	if served == nil {
		d.unknown("not checked: no config was received")
		return
	}
	d.current(ctx, i, served.etag, "")
}

// current checks that the answer to a condition with the ETag is 304.
func (d *Doctor) current(ctx context.Context, i int, etag, encoding string) {
	for range 2 {
		res, body, err := d.askConfig(ctx, d.Settings.SDKKeys[i].Key, "If-None-Match", etag, "Accept-Encoding", encoding)
		next := ""
		switch {
		case err != nil:
			d.unreachable(err)
			return
		case res.StatusCode == http.StatusNotModified && len(body) == 0:
			d.good("the answer to an SDK that has the config is 304")
			return
		case res.StatusCode != http.StatusOK:
			d.refused(res, body)
			return
		default:
			next = res.Header.Get("Etag")
		}
		if next == etag {
			break
		}
		etag = next
	}
	d.fault("let the proxy in front pass If-None-Match and ETag on", "an SDK that has the config receives it again")
}

func (d *Doctor) serveGzip(ctx context.Context, i int) {
	served := d.serving.configs[i]
	if served == nil {
		d.unknown("not checked: no config was received")
		return
	}
	res, body, err := d.askConfig(ctx, d.Settings.SDKKeys[i].Key, "Accept-Encoding", "gzip")
	switch {
	case err != nil:
		d.unreachable(err)
		return
	case res.StatusCode != http.StatusOK:
		d.refused(res, body)
		return
	case res.Header.Get("Content-Encoding") != "gzip":
		d.unknown("the config is sent without gzip: it is small, or a proxy in front removes Accept-Encoding")
		return
	}
	whole, err := gunzip(body)
	if err == nil {
		_, err = evaluate.Parse(whole)
	}
	if err != nil {
		d.fault("check the compression of the proxy in front", "the compressed config is damaged: %v", err)
		return
	}
	d.good("the config is sent with %d bytes instead of %d", len(body), len(whole))
	d.current(ctx, i, res.Header.Get("Etag"), "gzip")
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return readAll(r, evaluate.MaxConfigBytes)
}

const configFiles = "/configuration-files/"

func (d *Doctor) askConfig(ctx context.Context, key string, headers ...string) (*http.Response, []byte, error) {
	return d.ask(ctx, configFiles+key+"/config_v6.json", headers...)
}

// ask sends a GET request with headers, given as names and values; those without a value are left
// out. Its errors do not contain the path, which may be a secret.
func (d *Doctor) ask(ctx context.Context, path string, headers ...string) (*http.Response, []byte, error) {
	u := *d.serving.base
	u.Path = path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, errors.New("the SDK key cannot be part of a URL")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	res, err := d.serving.transport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	var body []byte
	if res.StatusCode == http.StatusOK && strings.HasPrefix(path, configFiles) {
		body, err = readAll(res.Body, evaluate.MaxConfigBytes)
	} else {
		body, err = io.ReadAll(io.LimitReader(res.Body, errorBytes))
	}
	return res, body, err
}

func readAll(r io.Reader, limit int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return data, err
}

// status returns the status of an answer as this program names it, not as the server does.
func status(res *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode)))
}

// isPort reports whether text is a port, or empty for that of the scheme.
func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
