package ui

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixedObserver has the views of a test.
type fixedObserver struct {
	mu      sync.Mutex
	views   []*observe.View
	changed chan struct{}
	watched int
}

func newObserver(views ...*observe.View) *fixedObserver {
	return &fixedObserver{views: views, changed: make(chan struct{})}
}

func (o *fixedObserver) Labels() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var labels []string
	for _, v := range o.views {
		labels = append(labels, v.Label)
	}
	return labels
}

func (o *fixedObserver) View(label string) *observe.View {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, v := range o.views {
		if v.Label == label {
			return v
		}
	}
	return nil
}

func (o *fixedObserver) Changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changed
}

func (o *fixedObserver) Watching() (release func()) {
	o.watch(1)
	return func() { o.watch(-1) }
}

func (o *fixedObserver) watch(by int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watched += by
}

func (o *fixedObserver) watching() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.watched
}

func (o *fixedObserver) Secret(label string) (string, bool) {
	return sdkSecret, o.View(label) != nil
}

// set replaces the views.
func (o *fixedObserver) set(views ...*observe.View) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.views = views
	close(o.changed)
	o.changed = make(chan struct{})
}

const sdkSecret = "configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111"

// fresh returns a view that was read just now.
func fresh(label string) *observe.View {
	return &observe.View{Label: label, Read: time.Now(), Rev: 1700000000000, Hash: "hash-0"}
}

// Tokens of the tests.
const (
	readToken    = "token-that-reads-0"
	explainToken = "token-that-explains"
	controlToken = "token-that-controls"
	shopToken    = "token-for-shop-only"
	bothToken    = "token-that-does-both"
	wrongToken   = "token-nobody-knows-"
)

func allTokens() []Token {
	return []Token{
		{Secret: readToken, Read: true},
		{Secret: explainToken, Explain: true},
		{Secret: controlToken, Name: "ada", Control: true},
		{Secret: shopToken, Read: true, SDKs: []string{"shop"}},
		{Secret: bothToken, Explain: true, Control: true},
		{Secret: "token-without-right"},
	}
}

// start returns the dashboard of a leader with the SDK keys shop and pay. A test sets what matters.
func start(t testing.TB, change func(*Config)) *UI {
	t.Helper()
	client := away(t) // no test here reaches Redis
	c := Config{
		Process: "leader", Version: "v1", Observer: newObserver(fresh("shop"), fresh("pay")), Acts: true, Redis: client,
		Tokens: allTokens(), Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	u, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Drain(t.Context()) })
	return u
}

func isOpen(c *Config) { c.Open, c.Tokens = true, nil }

// isOpenToActions is isOpen where nobody needs a token for Actions either.
func isOpenToActions(c *Config) {
	isOpen(c)
	c.OpenActions = true
}

// browser keeps cookies, as a browser does.
type browser struct {
	t       testing.TB
	ui      http.Handler
	cookies map[string]string
	header  http.Header // of every request
	host    string
}

func newBrowser(t testing.TB, u http.Handler) *browser {
	return &browser{t: t, ui: u, cookies: map[string]string{}, header: http.Header{}, host: "dash.example.com"}
}

// bearer sends a token in a header.
func (b *browser) bearer(token string) *browser {
	b.header.Set("Authorization", "Bearer "+token)
	return b
}

func (b *browser) send(method, target string, form url.Values, change func(*http.Request)) *http.Response {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(b.t.Context(), method, target, body)
	r.Host = b.host
	maps.Copy(r.Header, b.header)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	b.ui.ServeHTTP(w, r)
	res := w.Result()
	for _, cookie := range res.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		} else {
			b.cookies[cookie.Name] = cookie.Value
		}
	}
	return res
}

func (b *browser) get(target string) *http.Response { return b.send("GET", target, nil, nil) }

func (b *browser) post(target string, form url.Values) *http.Response {
	return b.send("POST", target, form, nil)
}

func bodyOf(t testing.TB, res *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var hiddenField = regexp.MustCompile(`name="csrf" value="([^"]*)"`)

// formToken returns the value that the forms of a page contain.
func (b *browser) formToken(target string) string {
	b.t.Helper()
	found := hiddenField.FindStringSubmatch(bodyOf(b.t, b.get(target)))
	if found == nil || found[1] == "" {
		b.t.Fatalf("%s has no form", target)
	}
	return found[1]
}

// signIn signs in by the form.
func (b *browser) signIn(token string) *http.Response {
	b.t.Helper()
	return b.post("/ui/signin", url.Values{"csrf": {b.formToken("/ui/signin")}, "token": {token}})
}

func (b *browser) want(res *http.Response, status int) {
	b.t.Helper()
	if res.StatusCode != status {
		b.t.Errorf("status %d, want %d", res.StatusCode, status)
	}
}
