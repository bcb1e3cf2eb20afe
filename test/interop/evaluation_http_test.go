package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/catbridge/catbridge/gateway"
)

// TestRESTStreamsAndFollowerAgree evaluates random configs for random users: by the REST API, by event streams
// and by the follower itself. TestDifferential compares the follower with the official SDK for the same configs.
func TestRESTStreamsAndFollowerAgree(t *testing.T) {
	const configs, users = 200, 5
	client := followertest.New(t, nil, func(cfg *follower.Config) { cfg.LogLevel = follower.LogLevelNone })
	g, err := gateway.New(gateway.Config{SDKs: []gateway.SDK{{Name: "main", Client: client.Client}}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(g)
	defer web.Close()
	defer g.Close() // ends the streams
	watcher := attributesOf(newGenerator(7, 0))
	stream := openStream(t, web.URL, watcher)
	last := stream.next(t)
	compared := 0
	for number := range uint64(configs) {
		random := newGenerator(7, number)
		client.SetConfigJSON([]byte(jsonText(random.config())))
		for range users {
			attributes := attributesOf(random)
			all := evaluated(t, web.URL, "eval-all", "", attributes)
			var remote map[string]flag
			if err := json.Unmarshal(all, &remote); err != nil {
				t.Fatalf("%s: %v", all, err)
			}
			local := map[string]flag{}
			for _, d := range client.Snapshot(userOf(attributes)).GetAllValueDetails() {
				value := d.Value
				if f, ok := value.(float64); ok && math.IsInf(f, 0) {
					value = nil // JSON does not have it
				}
				local[d.Data.Key] = flag{Value: inJSON(t, value), VariationID: d.Data.VariationID}
			}
			if diff := cmp.Diff(local, remote); diff != "" {
				t.Fatalf("config %d, user %v: the follower - and REST +:\n%s", number, attributes, diff)
			}
			for key, want := range remote {
				if want.Value == nil {
					continue // broken: REST answers with an error
				}
				var one flag
				if err := json.Unmarshal(evaluated(t, web.URL, "eval", key, attributes), &one); err != nil || !cmp.Equal(one, want) {
					t.Fatalf("config %d, user %v, flag %q alone is %v, %v", number, attributes, key, one, err)
				}
				compared++
			}
		}
		// A frame arrives exactly if a value changed for the user of the stream.
		if all := evaluated(t, web.URL, "eval-all", "", watcher); string(all) != last {
			if last = stream.next(t); last != string(all) {
				t.Fatalf("config %d: the stream sent %s, and REST %s", number, last, all)
			}
		}
	}
	if compared < configs*users {
		t.Errorf("only %d values were compared", compared)
	}
}

// attributesOf returns random attributes that JSON can represent; nil: no user.
func attributesOf(g *generator) map[string]any {
	user, ok := g.user().(object)
	if !ok {
		return nil
	}
	attributes := map[string]any{}
	custom, _ := user["Custom"].(object)
	delete(user, "Custom")
	maps.Copy(attributes, custom)
	maps.Copy(attributes, user)
	for name, value := range attributes {
		switch v := value.(type) {
		case object: // a date, or a number that JSON does not have
			delete(attributes, name)
		case array:
			if slices.ContainsFunc(v, func(item any) bool { _, isText := item.(string); return !isText }) {
				delete(attributes, name)
			}
		case json.Number:
			if _, err := v.Float64(); err != nil { // too large
				delete(attributes, name)
			}
		}
	}
	return attributes
}

// userOf returns the user of attributes as the gateway does.
func userOf(attributes map[string]any) follower.User {
	if attributes == nil {
		return nil
	}
	user := map[string]any{}
	for name, value := range attributes {
		switch v := value.(type) {
		case nil:
		case bool:
			user[name] = map[bool]string{true: "true", false: "false"}[v]
		case json.Number:
			user[name], _ = v.Float64()
		default:
			user[name] = v
		}
	}
	return user
}

func evaluated(t *testing.T, base, verb, key string, attributes map[string]any) []byte {
	t.Helper()
	res := postJSON(t, base+"/api/main/"+verb, map[string]any{"key": key, "user": attributes})
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %q: %s %s %v", verb, key, res.Status, body, err)
	}
	return body
}

func postJSON(t *testing.T, url string, v any) *http.Response {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

type eventStream struct{ body *bufio.Reader }

func openStream(t *testing.T, base string, attributes map[string]any) eventStream {
	t.Helper()
	res := postJSON(t, base+"/sse/main/eval-all", map[string]any{"user": attributes})
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	return eventStream{bufio.NewReader(res.Body)}
}

// next returns the data of the next event.
func (s eventStream) next(t *testing.T) string {
	t.Helper()
	for {
		line, err := s.body.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			return strings.TrimSuffix(data, "\n")
		}
	}
}
