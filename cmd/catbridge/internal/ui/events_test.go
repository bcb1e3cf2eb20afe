package ui

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/pipes"
)

// inBubble runs a test in virtual time with a server that has the deadlines of httpd.
func inBubble(t *testing.T, change func(*Config), test func(t *testing.T, u *UI, o *fixedObserver, connect func(header string) *events)) {
	synctest.Test(t, func(t *testing.T) {
		o := newObserver(fresh("shop"), fresh("pay"))
		u := start(t, func(c *Config) {
			c.Observer = o
			if change != nil {
				change(c)
			}
		})
		p := pipes.New()
		server := &http.Server{Handler: u, WriteTimeout: 30 * time.Second}
		served := make(chan error)
		go func() { served <- server.Serve(p) }()
		test(t, u, o, func(header string) *events {
			near, err := p.Dial()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = near.Close() })
			if _, err := io.WriteString(near, "GET /ui/events HTTP/1.1\r\nHost: localhost\r\n"+header+"\r\n"); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(near), nil)
			if err != nil {
				t.Fatal(err)
			}
			return &events{t, near, bufio.NewReader(res.Body), res}
		})
		u.Drain(t.Context())
		_ = p.Close()
		<-served
		_ = server.Close()
		synctest.Wait()
		if n, open := o.watching(), u.streams.Stats().Open; n != 0 || open != 0 {
			t.Errorf("%d still watch, %d streams are open", n, open)
		}
	})
}

// events is the client's end of a stream.
type events struct {
	t    *testing.T
	conn net.Conn
	body *bufio.Reader
	res  *http.Response
}

// next returns the data of the next event, or "end". Heartbeats are skipped.
func (e *events) next() string {
	data := ""
	for {
		line, err := e.body.ReadString('\n')
		if err != nil {
			return "end"
		}
		if text, ok := strings.CutPrefix(line, "data: "); ok {
			data = strings.TrimSpace(text)
		}
		if line == "\n" && data != "" {
			return data
		}
	}
}

// wantEnd waits for the end, which must come at once and not only with the age of the stream.
func (e *events) wantEnd() {
	e.t.Helper()
	began := time.Now()
	e.want("end")
	if took := time.Since(began); took != 0 {
		e.t.Errorf("the stream ended after %v", took)
	}
}

func (e *events) want(want string) {
	e.t.Helper()
	if have := e.next(); have != want {
		e.t.Errorf("received %q, want %q", have, want)
	}
}

const both, shopOnly = `{"hashes":{"pay":"hash-0","shop":"hash-0"}}`, `{"hashes":{"shop":"hash-0"}}`

func bearer(token string) string { return "Authorization: Bearer " + token + "\r\n" }

func TestAChangeIsAnEvent(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, _ *UI, o *fixedObserver, connect func(string) *events) {
		e := connect(bearer(readToken))
		if kind := e.res.Header.Get("Content-Type"); kind != "text/event-stream" || o.watching() != 1 {
			t.Errorf("%s, %d watch", kind, o.watching())
		}
		e.want(both)
		began := time.Now()
		time.AfterFunc(time.Minute, func() { // longer than the server's deadlines
			changed := fresh("shop")
			changed.Hash = "hash-1"
			o.set(changed)
		})
		e.want(`{"hashes":{"shop":"hash-1"}}`)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("after %v", took)
		}
		_ = e.conn.Close()
	})
}

// The CDN confirms a config again and again, and each time its rev rises: no page says then that another one is
// in force. A page of an SDK key without a config says so when the first one comes.
func TestEventsSayWhichConfigIsInForce(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, u *UI, o *fixedObserver, connect func(string) *events) {
		e := connect(bearer(readToken))
		e.want(both)
		confirmed, none := fresh("shop"), fresh("pay")
		confirmed.Rev++
		none.Rev, none.Hash = 0, ""
		o.set(confirmed, none)
		e.want(`{"hashes":{"pay":"","shop":"hash-0"}}`)
		_ = e.conn.Close()
		b := newBrowser(t, u).bearer(readToken)
		for label, want := range map[string]string{"shop": `data-hash="hash-0"`, "pay": `data-hash=""`} {
			if page := bodyOf(t, b.get("/ui/sdk/"+label+"/fleet")); !strings.Contains(page, want) {
				t.Errorf("the page of %s has not %s", label, want)
			}
		}
	})
}

// However often views change, a stream has one event a second, and the last change is not missed.
func TestEventsAreSpacedOut(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, _ *UI, o *fixedObserver, connect func(string) *events) {
		e := connect(bearer(readToken))
		e.want(both)
		go func() {
			for i := range 100 {
				time.Sleep(37 * time.Millisecond)
				v := fresh("shop")
				v.Hash = fmt.Sprint("hash-", i+1)
				o.set(v)
			}
		}()
		began, n := time.Now(), 0
		for {
			n++
			event := e.next()
			if strings.Contains(event, "hash-100") {
				break
			}
			if event == "end" {
				t.Fatal("the last change is not sent")
			}
		}
		if took := time.Since(began); n > 5 || took > 5*time.Second {
			t.Errorf("%d events within %v", n, took)
		}
		_ = e.conn.Close()
	})
}

func TestEventsAreAboutTheViewersSDKKeys(t *testing.T) {
	inBubble(t, nil, func(_ *testing.T, _ *UI, _ *fixedObserver, connect func(string) *events) {
		e := connect(bearer(shopToken))
		e.want(shopOnly)
		_ = e.conn.Close()
	})
}

func TestStreamsEndWithTheirToken(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, u *UI, _ *fixedObserver, connect func(string) *events) {
		session := newTokens(allTokens(), true)[0].newSession(time.Now())
		byToken, bySession, other := connect(bearer(readToken)), connect("Cookie: catbridge-leader="+session+"\r\n"), connect(bearer(explainToken))
		otherSession := connect("Cookie: catbridge-leader=" + newTokens(allTokens(), true)[1].newSession(time.Now()) + "\r\n")
		for _, e := range []*events{byToken, bySession, other, otherSession} {
			e.want(both)
		}
		u.SetTokens([]Token{{Secret: explainToken, Explain: true}})
		byToken.wantEnd()
		bySession.wantEnd()
		synctest.Wait()
		if open := u.streams.Stats().Open; open != 2 {
			t.Errorf("%d streams are open", open)
		}
		u.SetTokens([]Token{{Secret: explainToken, Explain: true, SDKs: []string{"shop"}}}) // it showed more
		other.wantEnd()
		otherSession.wantEnd()
	})
}

// A client whose token is replaced while it has many streams has not guessed tokens: it is not locked out.
func TestStreamsOfARemovedTokenDoNotLockTheirClientOut(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, u *UI, _ *fixedObserver, connect func(string) *events) {
		var all []*events
		for range maxAttempts + 1 {
			all = append(all, connect(bearer(readToken)))
		}
		u.SetTokens([]Token{{Secret: explainToken, Explain: true}})
		for _, e := range all {
			e.want(both)
			e.want("end")
		}
		e := connect(bearer(explainToken))
		if e.res.StatusCode != http.StatusOK {
			t.Errorf("with the new token: %d", e.res.StatusCode)
		}
		_ = e.conn.Close()
	})
}

func TestStreamsEndWithTheirSession(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, u *UI, _ *fixedObserver, connect func(string) *events) {
		b := newBrowser(t, u)
		b.signIn(readToken)
		e := connect("Cookie: catbridge-leader=" + b.cookies["catbridge-leader"] + "\r\n")
		e.want(both)
		b.post("/ui/signout", map[string][]string{"csrf": {b.formToken("/ui/nowhere")}})
		e.wantEnd()
	})
}

func TestStreamsEndAtTheirAge(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, _ *UI, _ *fixedObserver, connect func(string) *events) {
		e, began := connect(bearer(readToken)), time.Now()
		e.want(both)
		e.want("end")
		if age := time.Since(began); age < streamLimits.MinAge || age > streamLimits.MaxAge {
			t.Errorf("after %v", age)
		}
	})
}

func TestDrainingEndsTheStreams(t *testing.T) {
	inBubble(t, isOpen, func(t *testing.T, u *UI, _ *fixedObserver, connect func(string) *events) {
		first, second := connect(""), connect("")
		first.want(both)
		second.want(both)
		u.Drain(t.Context())
		first.wantEnd()
		second.wantEnd()
		e := connect("")
		if e.res.StatusCode != http.StatusServiceUnavailable || e.res.Header.Get("Retry-After") == "" {
			t.Errorf("%d", e.res.StatusCode)
		}
		_ = e.conn.Close()
	})
}

func TestStreamsAreBounded(t *testing.T) {
	u := start(t, nil)
	for i := range streamLimits.PerClient {
		s, err := u.streams.Open("192.0.2.1") // that of the tests' requests
		if err != nil {
			t.Fatal(i, err)
		}
		defer s.Close()
	}
	b := newBrowser(t, u).bearer(readToken)
	res := b.get("/ui/events")
	b.want(res, http.StatusServiceUnavailable)
	if !strings.Contains(bodyOf(t, res), "too many streams") {
		t.Error("the reason is missing")
	}
	for i := range streamLimits.Total - streamLimits.PerClient {
		s, err := u.streams.Open(fmt.Sprint(i))
		if err != nil {
			t.Fatal(i, err)
		}
		defer s.Close()
	}
	b.want(b.send("GET", "/ui/events", nil, func(r *http.Request) { r.RemoteAddr = "198.51.100.1:1" }), http.StatusServiceUnavailable)
}

// One token does not take the streams of all others, such as those behind the same proxy, however many
// sessions it has.
func TestStreamsOfATokenAreBounded(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, _ *UI, _ *fixedObserver, connect func(string) *events) {
		var all []*events
		open := func(header string, status int) {
			t.Helper()
			e := connect(header)
			if e.res.StatusCode != status {
				t.Fatalf("after %d streams: %d, want %d", len(all), e.res.StatusCode, status)
			}
			all = append(all, e)
		}
		reads := newTokens(allTokens(), true)[0]
		session := func() string { return "Cookie: catbridge-leader=" + reads.newSession(time.Now()) + "\r\n" }
		for range streamLimits.PerCredential / 2 {
			open(bearer(readToken), 200)
			open(session(), 200)
		}
		open(session(), 503)
		open(bearer(readToken), 503)
		open(bearer(explainToken), 200)
		_ = all[0].conn.Close()
		synctest.Wait()
		open(bearer(readToken), 200)
		for _, e := range all {
			_ = e.conn.Close()
		}
	})
}

// While nobody's page is open, a request keeps the views fresh for a while, and waits a moment for a
// fresh one.
func TestARequestWaitsForAFreshView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := fresh("shop")
		old.Read = old.Read.Add(-20 * time.Second)
		o := newObserver(old)
		u := start(t, func(c *Config) { isOpen(c); c.Observer = o })
		b := newBrowser(t, u)
		b.host = "localhost"
		u.page("GET /ui/sdk/{sdk}/test", rightRead, func(r *request) (*page, error) {
			return &page{title: "Test", template: "error.html", data: fmt.Sprint("age ", r.now.Sub(r.view.Read))}, nil
		})
		began := time.Now()
		text := bodyOf(t, b.get("/ui/sdk/shop/test"))
		if took := time.Since(began); took != freshWait || !strings.Contains(text, "age 20.5s") || !strings.Contains(text, "stale") || o.watching() != 1 {
			t.Errorf("after %v, %d watch: %s", took, o.watching(), text)
		}
		go func() {
			time.Sleep(100 * time.Millisecond)
			o.set(fresh("shop"))
		}()
		began = time.Now()
		text = bodyOf(t, b.get("/ui/sdk/shop/test"))
		if took := time.Since(began); took != 100*time.Millisecond || !strings.Contains(text, "age 0s") || strings.Contains(text, "has not read it since") {
			t.Errorf("after %v: %s", took, text)
		}
		broken := fresh("shop")
		broken.Read, broken.Err = broken.Read.Add(-time.Hour), "Redis cannot be read: <b>; run catbridge doctor"
		o.set(broken)
		began = time.Now()
		text = bodyOf(t, b.get("/ui/sdk/shop/test"))
		if took := time.Since(began); took != 0 || !strings.Contains(text, "Redis cannot be read: &lt;b&gt;") || !strings.Contains(text, "1 h ago") {
			t.Errorf("after %v: %s", took, text)
		}
		time.Sleep(visitLasts)
		synctest.Wait()
		if o.watching() != 0 {
			t.Error("it is still watched")
		}
		u.Drain(t.Context())
		b.get("/ui/sdk/shop/test")
		if o.watching() != 0 {
			t.Error("it is watched after the end")
		}
	})
}
