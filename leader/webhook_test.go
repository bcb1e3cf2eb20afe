package leader

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const (
	hookKey  = "configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88="
	nextKey  = "configcat_whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	hookID   = "b616ca659d154a5fb907dd8475792eeb"
	hookBody = `{"changes": "as the dashboard was told to write them"}`
)

// The headers of a request, and the length of its time.
const (
	headerHookID        = "X-ConfigCat-Webhook-ID"
	headerHookTimestamp = "X-ConfigCat-Webhook-Timestamp"
	headerHookSignature = "X-ConfigCat-Webhook-Signature-V1"
	timestampBytes      = 10
)

func sign(key, id, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, id+timestamp+body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hookRequest returns a request as ConfigCat sends it at that time.
func hookRequest(id string, at time.Time) *http.Request {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	r := httptest.NewRequest(http.MethodPost, "/hook/main", strings.NewReader(hookBody))
	r.Header.Set(headerHookID, id)
	r.Header.Set(headerHookTimestamp, timestamp)
	r.Header.Set(headerHookSignature, sign(hookKey, id, timestamp, hookBody))
	return r
}

// moved moves the first n characters of the time to the ID, and as many of the body to the
// time. A negative n moves them the other way. The signature stays the same.
func moved(r *http.Request, body string, n int) *http.Request {
	signed := r.Header.Get(headerHookID) + r.Header.Get(headerHookTimestamp) + body
	id := len(r.Header.Get(headerHookID)) + n
	again := httptest.NewRequest(r.Method, r.URL.Path, strings.NewReader(signed[id+timestampBytes:]))
	again.Header = r.Header.Clone()
	again.Header.Set(headerHookID, signed[:id])
	again.Header.Set(headerHookTimestamp, signed[id:id+timestampBytes])
	return again
}

func serveHook(l *Leader, r *http.Request) (status int, text string) {
	w := httptest.NewRecorder()
	l.WebhookHandler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// withHook starts a leader whose webhook is enabled.
func (s *testEnv) withHook(link *redistest.Link) *Leader {
	s.Helper()
	l, _ := s.start(link)
	key := mainKey()
	key.WebhookKeys = []string{nextKey, hookKey}
	s.set(l, key)
	return l
}

// The documented request, at its time, passes all checks.
func TestTheRequestOfConfigCatsDocumentationIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := redistest.VirtualAt(t, time.Unix(1669629035, 0).Add(100*time.Second)).Client(t, nil)
		key := mainKey()
		key.WebhookKeys = []string{hookKey}
		l, err := New(Config{Redis: client, SDKKeys: []SDKKey{key}})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/hook/main", strings.NewReader("examplebody"))
		r.Header.Set("X-ConfigCat-Webhook-ID", "b616ca659d154a5fb907dd8475792eeb")
		r.Header.Set("X-ConfigCat-Webhook-Timestamp", "1669629035")
		r.Header.Set("X-ConfigCat-Webhook-Signature-V1", "Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA=")
		if status, text := serveHook(l, r); status != http.StatusOK {
			t.Errorf("%d %s", status, text)
		}
		if n := client.HGet(t.Context(), cachekeys.For(testKey, "", 0).Meta, "refresh").Val(); n != "1" {
			t.Errorf("a refresh was asked for %q times", n)
		}
	})
}

func TestAWebhookAtAnyProcessMakesTheLeaderPollAtOnce(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		holder, other := s.withHook(nil), s.withHook(nil)
		s.wait(10 * time.Second)
		for i, l := range []*Leader{holder, other} {
			version, before := s.cdn.Publish(), s.stats(holder).Polls
			if status, text := serveHook(l, hookRequest(fmt.Sprintf("%032x", i), time.Now())); status != http.StatusOK {
				s.Fatalf("%d %s", status, text)
			}
			s.wait(time.Millisecond)
			s.hasVersion(version)
			s.wait(15 * time.Second)
			if polls := s.stats(holder).Polls - before; polls != 1 || s.stats(l).Webhooks.Accepted != 1 {
				s.Errorf("%d polls, %+v", polls, s.stats(l).Webhooks)
			}
		}
	})
}

func TestEachAttackOnTheWebhookIsRefused(t *testing.T) {
	setTime := func(d time.Duration) func(*http.Request) {
		return func(r *http.Request) { *r = *hookRequest(hookID, time.Now().Add(d)) }
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	// signed signs the changed request again, as a sender with the key would.
	signed := func(id, timestamp string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set(headerHookID, id)
			r.Header.Set(headerHookTimestamp, timestamp)
			r.Header.Set(headerHookSignature, sign(hookKey, id, timestamp, hookBody))
		}
	}
	body := func(text io.Reader, length int64) func(*http.Request) {
		return func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(text), length }
	}
	large := strings.Repeat("x", maxHookBytes+1)
	for name, c := range map[string]struct {
		change  func(*http.Request)
		status  int
		counter func(WebhookStats) uint64
	}{
		"other method":         {func(r *http.Request) { r.Method = http.MethodPut }, 405, nil},
		"method HEAD":          {func(r *http.Request) { r.Method = http.MethodHead }, 405, nil},
		"unknown name":         {func(r *http.Request) { r.URL.Path = "/hook/other" }, 404, nil},
		"no name":              {func(r *http.Request) { r.URL.Path = "/hook/" }, 404, nil},
		"more path":            {func(r *http.Request) { r.URL.Path = "/hook/main/x" }, 404, nil},
		"no headers":           {func(r *http.Request) { r.Header = http.Header{} }, 400, malformed},
		"no ID":                {func(r *http.Request) { r.Header.Del(headerHookID) }, 400, malformed},
		"no time":              {func(r *http.Request) { r.Header.Del(headerHookTimestamp) }, 400, malformed},
		"no signature":         {func(r *http.Request) { r.Header.Del(headerHookSignature) }, 400, malformed},
		"empty signature":      {set(headerHookSignature, ""), 400, malformed},
		"two IDs":              {func(r *http.Request) { r.Header.Add(headerHookID, hookID) }, 400, malformed},
		"two times":            {func(r *http.Request) { r.Header.Add(headerHookTimestamp, "1669629035") }, 400, malformed},
		"two signature lines":  {func(r *http.Request) { r.Header.Add(headerHookSignature, "x") }, 400, malformed},
		"signature not base64": {set(headerHookSignature, strings.Repeat("?", 44)), 400, malformed},
		"signature too short":  {set(headerHookSignature, "Ks3cYsu9"), 400, malformed},
		"signature prefixed":   {set(headerHookSignature, "sha256=Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA="), 400, malformed},
		"many signatures":      {set(headerHookSignature, strings.Repeat("Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA=,", 9)+"x"), 400, malformed},
		"signature of another": {set(headerHookSignature, "Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA="), 403, forged},
		"another key": {func(r *http.Request) {
			r.Header.Set(headerHookSignature, sign(hookKey+"x", hookID, r.Header.Get(headerHookTimestamp), hookBody))
		}, 403, forged},
		"other ID":           {set(headerHookID, strings.Repeat("a", 32)), 403, forged},
		"ID in capitals":     {set(headerHookID, strings.ToUpper(hookID)), 403, forged},
		"other time":         {func(r *http.Request) { r.Header.Set(headerHookTimestamp, strconv.FormatInt(time.Now().Unix()+1, 10)) }, 403, forged},
		"other body":         {body(strings.NewReader("x"), 1), 403, forged},
		"no body":            {body(http.NoBody, 0), 403, forged},
		"body breaks off":    {body(iotest.ErrReader(io.ErrUnexpectedEOF), int64(len(hookBody))), 400, malformed},
		"too old":            {setTime(-301 * time.Second), 400, stale},
		"too new":            {setTime(301 * time.Second), 400, stale},
		"body too long":      {body(strings.NewReader(large), int64(len(large))), 413, tooLarge},
		"body endless":       {body(io.MultiReader(strings.NewReader(large), iotest.ErrReader(errors.New("read on"))), -1), 413, tooLarge},
		"empty ID":           {signed("", "1767225610"), 400, malformed},
		"long ID":            {signed(strings.Repeat("x", 129), "1767225610"), 400, malformed},
		"ID with space":      {signed("a b", "1767225610"), 400, malformed},
		"ID with line break": {signed("a\nb", "1767225610"), 400, malformed},
		"ID with escape":     {signed("a\x1b[2Jb", "1767225610"), 400, malformed},
		"ID with DEL":        {signed("a\x7fb", "1767225610"), 400, malformed},
		"ID not ASCII":       {signed("ä", "1767225610"), 400, malformed},
		"ID not UTF-8":       {signed("\xff", "1767225610"), 400, malformed},
		"digit to time":      {signed(hookID[:31], "0"+"1767225610"), 400, malformed},
		"digit to ID":        {signed(hookID+"1", "669629035"), 400, malformed},
		"digit to ID, digit of the body to time": {func(r *http.Request) {
			signed("x", "1767225610")(r)
			r.Header.Set(headerHookSignature, sign(hookKey, "x", "1767225610", "0000"))
			*r = *moved(r, "0000", 1)
		}, 400, stale},
		"digit of the ID to time, digit of the time to body": {func(r *http.Request) {
			signed("x1", "1767225610")(r)
			r.Header.Set(headerHookSignature, sign(hookKey, "x1", "1767225610", hookBody))
			*r = *moved(r, hookBody, -1)
		}, 400, stale},
		"time with sign":       {signed(hookID, "+166962903"), 400, malformed},
		"time negative":        {signed(hookID, "-166962903"), 400, malformed},
		"time with space":      {signed(hookID, "166962903 "), 400, malformed},
		"time in full width":   {signed(hookID, "１６６"), 400, malformed},
		"time in milliseconds": {signed(hookID, "1669629035000"), 400, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l := s.withHook(nil)
				s.wait(10 * time.Second)
				polls := s.stats(l).Polls
				r := hookRequest(hookID, time.Now())
				c.change(r)
				status, text := serveHook(l, r)
				if status != c.status || text == "" && r.Method != http.MethodHead || strings.Contains(text, hookKey) {
					s.Errorf("%d %q, want %d", status, text, c.status)
				}
				s.wait(11 * time.Second)
				now := s.stats(l)
				if now.Polls != polls || now.Webhooks.Accepted != 0 {
					s.Errorf("polled: %+v", now)
				}
				if c.counter != nil && c.counter(now.Webhooks) != 1 {
					s.Errorf("counted as %+v", now.Webhooks)
				}
				if c.status == 404 && l.Stats().UnknownWebhooks != 1 {
					s.Error("not counted")
				}
				// The genuine request is accepted afterwards.
				if status, text := serveHook(l, hookRequest(hookID, time.Now())); status != http.StatusOK {
					s.Errorf("the true one: %d %s", status, text)
				}
			})
		})
	}
}

// F33: refused requests leave no state and cause no Redis command.
func TestRefusedWebhooksLeaveNoState(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l := s.withHook(nil)
		s.wait(5 * time.Second)
		refuse := func(webhooks int) {
			for n := range webhooks {
				id := fmt.Sprintf("%032x", n)
				r := hookRequest(id, time.Now())
				switch n % 3 {
				case 0:
					r.Header.Set(headerHookSignature, sign(hookKey+"x", id, "", ""))
				case 1:
					r = hookRequest(id, time.Now().Add(-time.Hour))
				case 2:
					r = hookRequest(id+" ", time.Now())
				}
				if status, text := serveHook(l, r); status != http.StatusForbidden && status != http.StatusBadRequest {
					s.Fatalf("%d %s", status, text)
				}
			}
		}
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		refuse(1000)
		before, most := heap(), int64(512<<10)
		refuse(30_000)
		if grown := heap() - before; grown > most {
			s.Errorf("%d bytes more, want at most %d", grown, most)
		}
		if keys := s.server.Mini().Keys(); len(keys) > 5 {
			s.Errorf("Redis holds %q", keys)
		}
	})
}

func malformed(s WebhookStats) uint64 { return s.Malformed }
func forged(s WebhookStats) uint64    { return s.Forged }
func stale(s WebhookStats) uint64     { return s.Stale }
func tooLarge(s WebhookStats) uint64  { return s.TooLarge }

func TestWebhooksWithAValidTimeAndAnyValidSignatureAreAccepted(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l := s.withHook(nil)
		s.wait(10 * time.Second)
		for i, change := range []func(*http.Request){
			func(r *http.Request) { *r = *hookRequest(r.Header.Get(headerHookID), time.Now().Add(-300*time.Second)) },
			func(r *http.Request) { *r = *hookRequest(r.Header.Get(headerHookID), time.Now().Add(300*time.Second)) },
			func(r *http.Request) {
				r.Header.Set(headerHookSignature, sign("another", "", "", "")+", "+r.Header.Get(headerHookSignature))
			},
			func(r *http.Request) {
				r.Header.Set(headerHookSignature, r.Header.Get(headerHookSignature)+","+sign("another", "", "", ""))
			},
			func(r *http.Request) {
				r.Header.Set(headerHookSignature, sign(nextKey, r.Header.Get(headerHookID), r.Header.Get(headerHookTimestamp), hookBody))
			},
			func(r *http.Request) { r.SetPathValue("name", "main"); r.URL.Path = "/whatever" },
			func(r *http.Request) { r.ContentLength = -1 },
			func(r *http.Request) { r.Method = http.MethodGet },
			func(r *http.Request) { r.Method, r.URL.Path = http.MethodGet, "/hook/main/" },
			func(r *http.Request) { r.URL.Path = "/hook/main/" },
			func(r *http.Request) { *r = *hookRequest("x", time.Now()) },
			func(r *http.Request) { *r = *hookRequest("B616CA65-9d15-4a5f-b907-dd8475792eeb", time.Now()) },
			func(r *http.Request) { *r = *hookRequest(strings.Repeat("~", 128), time.Now()) },
			func(r *http.Request) { *r = *hookRequest("!{}*[?]\"\\%", time.Now()) },
		} {
			r := hookRequest(fmt.Sprintf("%032x", i), time.Now())
			change(r)
			if status, text := serveHook(l, r); status != http.StatusOK {
				s.Errorf("%d: %d %s", i, status, text)
			}
		}
	})
}

func TestAWebhookWithoutASigningKeyIsDisabled(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		if status, text := serveHook(l, hookRequest(hookID, time.Now())); status != http.StatusNotFound {
			s.Errorf("%d %s", status, text)
		}
		key := mainKey()
		key.WebhookKeys = []string{hookKey}
		s.set(l, key)
		if status, text := serveHook(l, hookRequest(hookID, time.Now())); status != http.StatusOK {
			s.Errorf("%d %s", status, text)
		}
		key.WebhookKeys = []string{nextKey}
		s.set(l, key)
		if status, text := serveHook(l, hookRequest(strings.Repeat("a", 32), time.Now())); status != http.StatusForbidden {
			s.Errorf("the old signing key: %d %s", status, text)
		}
		if s.stats(l).Terms != 1 {
			s.Error("a signing key ended a term")
		}
	})
}

func TestRefusedWebhooksAreLoggedOncePerMinute(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l := s.withHook(nil)
		for range 1000 {
			serveHook(l, hookRequest("x x", time.Now()))
		}
		if n := strings.Count(s.log.String(), fmt.Sprint("event_id=", eventHookRefused)); n != 1 {
			s.Errorf("reported %d times at once", n)
		}
		s.wait(hookLogEvery)
		serveHook(l, hookRequest("x x", time.Now()))
		if n := strings.Count(s.log.String(), fmt.Sprint("event_id=", eventHookRefused)); n != 2 {
			s.Errorf("reported %d times", n)
		}
		if log := s.log.String(); strings.Contains(log, hookKey) {
			s.Error("a signing key is in the log")
		}
	})
}

func TestInvalidWebhookSettingsAreReported(t *testing.T) {
	_, err := New(Config{SDKKeys: []SDKKey{
		{Key: testKey, WebhookKeys: []string{hookKey}},
		{Name: "a/b", Key: otherKey, WebhookKeys: []string{"short", hookKey + "\n", hookKey, hookKey, strings.Repeat("x", 257), "1234567890123456", "2", "3", "4"}},
	}})
	for _, want := range []string{
		"SDKKeys[0]: WebhookKeys: the Name is part", "SDKKeys[1]: WebhookKeys: the Name is part", "WebhookKeys[0]: 5 characters", "WebhookKeys[1]: white space",
		"WebhookKeys[3]: duplicate", "WebhookKeys[4]: 257", "WebhookKeys: 9 keys, want at most 8",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if err != nil && (strings.Contains(err.Error(), hookKey) || strings.Contains(err.Error(), "1234567890123456")) {
		t.Error("a signing key is in the error")
	}
}
