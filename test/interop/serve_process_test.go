package interop

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// serveProcess is a process of catbridge serve, which can be restarted on its address.
type serveProcess struct {
	cmd  *exec.Cmd
	addr string
	tls  *tls.Config // of clients; nil: no TLS
	args []string
	env  []string
}

// startServe starts catbridge serve. It ends with the test.
func startServe(t *testing.T, server *redistest.Process, args ...string) *serveProcess {
	t.Helper()
	return newServe(t, server, args).begin(t)
}

// startSecureServe is [startServe] with TLS, on which browsers use HTTP/2.
func startSecureServe(t *testing.T, server *redistest.Process, args ...string) *serveProcess {
	t.Helper()
	authority := redistest.NewAuthority(t)
	certificate := authority.Issue(t, "serve")
	s := newServe(t, server, append(args, "--tls-cert-file", certificate.CertFile, "--tls-key-file", certificate.KeyFile))
	s.tls = authority.ClientConfig(t)
	return s.begin(t)
}

func newServe(t *testing.T, server *redistest.Process, args []string) *serveProcess {
	t.Helper()
	return &serveProcess{
		addr: freeAddr(t), args: append([]string{"serve", "--fast"}, args...),
		env: []string{"CATBRIDGE_SDK_KEY=interop=" + sdkKey, "CATBRIDGE_REDIS_URL=" + server.URL()},
	}
}

func (s *serveProcess) begin(t *testing.T) *serveProcess {
	t.Helper()
	s.start(t)
	t.Cleanup(func() { s.end(t, os.Interrupt) })
	return s
}

func (s *serveProcess) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.CommandContext(t.Context(), program.Path(t), append(s.args, "--listen", s.addr)...)
	s.cmd.Env = s.env
	s.cmd.Stderr = t.Output()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// end sends the signal and waits for the end of the process.
func (s *serveProcess) end(t *testing.T, signal os.Signal) {
	t.Helper()
	_ = s.cmd.Process.Signal(signal)
	if err := s.cmd.Wait(); err != nil && signal != syscall.SIGKILL && t.Context().Err() == nil {
		t.Errorf("serve: %v", err)
	}
}

func (s *serveProcess) url() string {
	if s.tls != nil {
		return "https://" + s.addr
	}
	return "http://" + s.addr
}

// get returns the body at a path, and waits for the process to listen.
func (s *serveProcess) get(t *testing.T, path string) []byte {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: s.tls}}
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
}

type streamStatus struct{ Holding, Held, Released, Events int }

// streams returns how many requests wait for a change, and how many did.
func (s *serveProcess) streams(t *testing.T) streamStatus {
	t.Helper()
	var status struct{ Streams streamStatus }
	if err := json.Unmarshal(s.get(t, "/status"), &status); err != nil {
		t.Fatal(err)
	}
	return status.Streams
}

// holds waits until n requests wait for a change.
func (s *serveProcess) holds(t *testing.T, n int) {
	t.Helper()
	for s.streams(t).Holding != n {
		time.Sleep(10 * time.Millisecond)
	}
}

// streaming waits until n event streams are open.
func (s *serveProcess) streaming(t *testing.T, n int) {
	t.Helper()
	for s.streams(t).Events != n {
		time.Sleep(10 * time.Millisecond)
	}
}

var answersLine = regexp.MustCompile(`(?m)^catbridge_gateway_answers_total\{status="(\d+)"\} (\d+)$`)

// answers returns how many requests were answered with a status.
func (s *serveProcess) answers(t *testing.T, status int) int {
	t.Helper()
	for _, m := range answersLine.FindAllSubmatch(s.get(t, "/metrics"), -1) {
		if string(m[1]) == strconv.Itoa(status) {
			n, _ := strconv.Atoi(string(m[2]))
			return n
		}
	}
	return 0
}

// freeAddr returns an address on which nothing listens.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
