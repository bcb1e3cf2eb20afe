package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/harness"
)

const (
	hookName = "main"
	hookKey  = "configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88="
)

// openHook adds a webhook to a leader process, without ending its term.
func openHook(r *harness.Leader, env *harness.Environment) {
	env.Helper()
	if err := r.SetSDKKeys([]leader.SDKKey{{Name: hookName, Key: harness.SDKKey, WebhookKeys: []string{hookKey}}}); err != nil {
		env.Fatal(err)
	}
}

const (
	hookBody = "body"
	// hookAsked is in the answer to a webhook that asked for a poll, and not in the answer
	// to a repeated one.
	hookAsked = "poll requested"
)

// hook is a request to the webhook.
type hook struct{ id, timestamp, signature string }

func signedHook(key string, id uint64, at time.Time) hook {
	h := hook{id: fmt.Sprintf("%032x", id), timestamp: strconv.FormatInt(at.Unix(), 10)}
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, h.id+h.timestamp+hookBody)
	h.signature = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return h
}

// sendTo returns the status, and whether the leader was asked to poll.
func (h hook) sendTo(r *harness.Leader) (status int, asked bool) {
	request := httptest.NewRequest(http.MethodPost, "/hook/"+hookName, strings.NewReader(hookBody))
	request.Header.Set("X-ConfigCat-Webhook-ID", h.id)
	request.Header.Set("X-ConfigCat-Webhook-Timestamp", h.timestamp)
	request.Header.Set("X-ConfigCat-Webhook-Signature-V1", h.signature)
	answer := httptest.NewRecorder()
	r.WebhookHandler().ServeHTTP(answer, request)
	return answer.Code, strings.Contains(answer.Body.String(), hookAsked)
}

// attack returns the n-th webhook of a flood, and the answer that it must get. Hardly any
// is valid. seen was accepted before.
func attack(seen hook, n uint64, now time.Time) (h hook, want int) {
	switch n % 100 {
	case 0:
		return signedHook(hookKey, n, now), http.StatusOK
	case 1, 2, 3, 4:
		return seen, http.StatusOK
	case 5, 6, 7, 8:
		return signedHook(hookKey, n, now.Add(-6*time.Minute)), http.StatusBadRequest
	case 9, 10, 11, 12: // a digit of the time moves to the ID
		h := signedHook(hookKey, n, now)
		h.id, h.timestamp = h.id+h.timestamp[:1], h.timestamp[1:]
		return h, http.StatusBadRequest
	case 13, 14, 15, 16: // and a digit of the ID to the time
		h := signedHook(hookKey, n, now)
		h.id, h.timestamp = h.id[:31], h.id[31:]+h.timestamp
		return h, http.StatusBadRequest
	default:
		return signedHook(hookKey+"x", n, now), http.StatusForbidden
	}
}

// Webhooks reach both processes, 10,000 a second of virtual time and thousands of real
// time. Each attack is rejected, and the CDN is asked at most once a second, whichever
// process receives them. [TestF33_FloodOverHTTP] has as many in real time.
func TestF33_FloodOfWebhooks(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(1)
		for _, r := range []*harness.Leader{first, second} {
			openHook(r, env)
		}
		seen := signedHook(hookKey, 0, time.Now())
		if status, asked := seen.sendTo(second); status != http.StatusOK || !asked {
			env.Fatalf("a true webhook: %d", status)
		}
		var accepted uint64
		begun, start := len(env.CDN.Requests()), time.Now()
		for n := uint64(1); time.Since(start) < 3*time.Second; time.Sleep(time.Millisecond) {
			for range 10 {
				h, want := attack(seen, n, time.Now())
				status, asked := h.sendTo([]*harness.Leader{first, second}[n%2])
				if status != want || asked != (want == http.StatusOK && h != seen) {
					env.Fatalf("webhook %d (%+v): %d, want %d; asked: %v", n, h, status, want, asked)
				}
				if asked {
					accepted++
				}
				n++
			}
		}
		requests := env.CDN.Requests()[begun:]
		least, polls := 900*time.Millisecond, 3
		if !env.Virtual {
			least /= 2 // the first of two may have been on its way for long
			polls = 1
		}
		if len(requests) < polls {
			env.Errorf("%d requests to the CDN, want at least %d", len(requests), polls)
		}
		if took := time.Since(start); len(requests) > int(took/time.Second)+2 {
			env.Errorf("%d requests to the CDN in %v", len(requests), took)
		}
		for i := range requests[1:] {
			if gap := requests[i+1].At.Sub(requests[i].At); gap < least {
				env.Errorf("%v between two requests to the CDN", gap)
			}
		}
		known, err := env.Admin.Keys(env.Context(), "catbridge:{"+env.Keys.Entry+"}:hook:*").Result()
		if err != nil || uint64(len(known)) != accepted+1 {
			env.Errorf("Redis remembers %d IDs, %d were accepted: %v", len(known), accepted+1, err)
		}
		if sum := first.Stats().Webhooks.Accepted + second.Stats().Webhooks.Accepted; sum != accepted+1 {
			env.Errorf("%d are counted, %d were accepted", sum, accepted+1)
		}
		env.Settle()
	})
}

// A webhook to any process makes a change reach followers.
func TestWebhookPublishesAChangeAtOnce(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(2)
		for i, r := range []*harness.Leader{second, first, second} {
			openHook(r, env)
			env.Pass(time.Second) // since the last fetch
			version := env.CDN.Publish()
			if status, asked := signedHook(hookKey, uint64(i), time.Now()).sendTo(r); status != http.StatusOK || !asked {
				env.Fatalf("%d", status)
			}
			env.AwaitVersion(version, time.Second)
		}
		env.Settle()
	})
}
