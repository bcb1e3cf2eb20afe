package localcdn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"go.uber.org/goleak"
)

const sdkKey = "configcat-sdk-1/1234567890123456789012/abcdefghijklmnopqrstuv"

func TestTheServerIsAlive(t *testing.T) {
	w := httptest.NewRecorder()
	New(nil, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(text string) string {
	return `{"f": {"text": {"t": 1, "v": {"s": "` + text + `"}}}}`
}

func content(t *testing.T, json string) *Content {
	t.Helper()
	c, err := NewContent([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start serves on loopback until the test ends.
func start(t *testing.T, s *Server) (baseURL string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return "http://" + listener.Addr().String()
}

func get(t *testing.T, method, url, etag string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

func TestServesTheCurrentContentAnd304ForItsETag(t *testing.T) {
	server := New(content(t, config("one")), slog.New(slog.DiscardHandler))
	url := start(t, server) + "/configuration-files/" + sdkKey + "/config_v6.json"
	status, header, body := get(t, http.MethodGet, url, "")
	if status != 200 || body != config("one") || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v %s", status, header, body)
	}
	etag := header.Get("ETag")
	if status, _, body := get(t, http.MethodGet, url, etag); status != 304 || body != "" {
		t.Fatalf("%d %s, want 304 and nothing", status, body)
	}
	server.Publish(content(t, config("two")))
	status, header, body = get(t, http.MethodGet, url, etag)
	if status != 200 || body != config("two") || header.Get("ETag") == etag {
		t.Fatalf("%d %v %s", status, header, body)
	}
}

func TestAnswersOnlyConfigPaths(t *testing.T) {
	url := start(t, New(content(t, config("one")), slog.New(slog.DiscardHandler)))
	for path, want := range map[string]int{
		"/configuration-files/" + sdkKey + "/config_v6.json":                           200,
		"/configuration-files/configcat-proxy/mine/config_v6.json":                     200,
		"/configuration-files/" + sdkKey[len("configcat-sdk-1/"):] + "/config_v6.json": 200,
		"/configuration-files/" + sdkKey + "/config_v5.json":                           404,
		"/configuration-files/short/config_v6.json":                                    404,
		"/": 404,
	} {
		if status, _, _ := get(t, http.MethodGet, url+path, ""); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if status, header, _ := get(t, http.MethodPost, url+"/", ""); status != 405 || header.Get("Allow") == "" {
		t.Errorf("POST: %d %v, want 405", status, header)
	}
}

func TestRequestsAreLoggedWithTheKeyMasked(t *testing.T) {
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := New(content(t, config("one")), slog.New(slog.NewTextHandler(&out, nil)))
	ended := make(chan error)
	go func() { ended <- server.Serve(ctx, listener) }()
	get(t, http.MethodGet, "http://"+listener.Addr().String()+"/configuration-files/"+sdkKey+"/config_v6.json", "")
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if text := out.String(); strings.Contains(text, sdkKey[20:]) || !strings.Contains(text, "qrstuv") || !strings.Contains(text, "status=200") {
		t.Error(text)
	}
}

type update struct {
	content *Content
	err     error
}

// follow opens a config file in a new folder and follows it until the test ends.
func follow(t *testing.T, json string) (path string, updates chan update) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "config.json")
	write(t, path, json)
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, followFile(t, file)
}

func followFile(t *testing.T, file *File) chan update {
	t.Helper()
	updates := make(chan update, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		file.Follow(ctx, func(c *Content, err error) { updates <- update{c, err} })
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return updates
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, updates chan update, json string) {
	t.Helper()
	if u := <-updates; u.err != nil || string(u.content.JSON) != json {
		t.Fatalf("%v %v, want %s", u.content, u.err, json)
	}
}

func TestAFileWrittenInPlaceIsFollowed(t *testing.T) {
	path, updates := follow(t, config("one"))
	write(t, path, config("two"))
	wantContent(t, updates, config("two"))
}

func TestAFileThatIsReplacedIsFollowed(t *testing.T) {
	path, updates := follow(t, config("one"))
	for _, text := range []string{"two", "three"} {
		write(t, path+".new", config(text))
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		wantContent(t, updates, config(text))
	}
}

func TestAFileBehindALinkIsFollowed(t *testing.T) {
	dir, link := t.TempDir(), filepath.Join(t.TempDir(), "config.json")
	write(t, filepath.Join(dir, "a.json"), config("a"))
	if err := os.Symlink(filepath.Join(dir, "a.json"), link); err != nil {
		missing.Skip(t, "symbolic links are missing here: %v", err)
	}
	file, err := Open(link)
	if err != nil {
		t.Fatal(err)
	}
	updates := followFile(t, file)
	write(t, filepath.Join(dir, "a.json"), config("longer"))
	wantContent(t, updates, config("longer"))
}

func TestAnInvalidVersionIsRejectedAndTheNextValidOneServed(t *testing.T) {
	path, updates := follow(t, config("one"))
	write(t, path, "{\n  \"f\": oops\n}")
	if u := <-updates; u.err == nil || !strings.Contains(u.err.Error(), "config.json: line 2, column 8: invalid JSON") {
		t.Fatalf("%v %v", u.content, u.err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if u := <-updates; !errors.Is(u.err, os.ErrNotExist) {
		t.Fatalf("%v %v", u.content, u.err)
	}
	write(t, path, config("two"))
	wantContent(t, updates, config("two"))
}

func TestOpenRejectsInvalidFiles(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.json")
	write(t, large, "")
	if err := os.Truncate(large, 9<<20); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.json")
	write(t, empty, "")
	other := filepath.Join(dir, "other.json")
	write(t, other, `{"flags": {}}`)
	for path, want := range map[string]string{
		large:                        "large.json: larger than 8 MiB",
		empty:                        "empty.json: line 1, column 1: invalid JSON",
		other:                        "other.json: config JSON: $",
		dir:                          ": is a directory, but must be a regular file",
		filepath.Join(dir, "absent"): "absent: no such file or directory",
	} {
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
