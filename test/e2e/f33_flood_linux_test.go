package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/test/harness"
)

const (
	floodRate    = 10_000 // webhooks a second
	floodSenders = 8      // with one connection each
	floodBatch   = 32     // webhooks that are sent before the answers are read
)

// flood sends webhooks at a fixed rate.
type flood struct {
	addr   string
	seen   hook // a webhook that was accepted
	first  uint64
	count  int
	pace   float64 // a second
	passed atomic.Int64
}

// 10,000 webhooks a second over real connections to the leading process, for some seconds.
// Each attack is rejected, the CDN is asked at most once a second, and the process does not
// grow. With many rounds the test runs alone and must keep the rate; with few it sends as
// many webhooks, however long it takes.
func TestF33_FloodOverHTTP(t *testing.T) {
	alone := harness.ManyRounds()
	harness.OnProcessesAs(t, program.Plain, alone, func(f *harness.Fleet) {
		p := f.Run([]string{"CATBRIDGE_SDK_KEY=" + hookName + "=" + harness.SDKKey, "CATBRIDGE_WEBHOOK_KEYS=" + hookKey, "CATBRIDGE_LISTEN=127.0.0.1:0"},
			"leader", "--fast", "--poll-interval", f.Leader.PollInterval.String(), "--base-url", f.CDNURL, "--log-format", "json")
		f.Eventually(10*time.Second, "the process logs its ID", p.HasStarted)
		f.AwaitHolder(p)
		f.Join(1, 2)
		duration := 3 * time.Second
		if alone {
			duration = 10 * time.Second
		}
		base, accepted, first := p.ProcStatus(f.T, "VmHWM"), int64(0), uint64(1)
		for range f.Rounds(1) {
			// A little faster than required: the last answers take a moment.
			fl := &flood{addr: p.Addr, seen: signedHook(hookKey, 1<<40+first, time.Now()), first: first,
				count: floodRate * int(duration.Seconds()), pace: 1.1 * floodRate}
			first += uint64(fl.count)
			begun, start := len(f.CDN.Requests()), time.Now()
			if err := fl.send(fl.seen, http.StatusOK); err != nil {
				f.Fatal(err)
			}
			fl.run(f.T)
			took := time.Since(start)
			accepted += fl.passed.Load()
			rate := float64(fl.count) / took.Seconds()
			f.Logf("%d webhooks in %v, %.0f a second", fl.count, took.Round(time.Millisecond), rate)
			if alone && rate < floodRate {
				f.Errorf("%.0f webhooks a second, want %d", rate, floodRate)
			}
			requests := f.CDN.Requests()[begun:]
			if len(requests) > int(took/time.Second)+2 {
				f.Errorf("%d requests to the CDN in %v", len(requests), took)
			}
			known, err := f.Admin.Keys(f.Context(), "catbridge:{"+f.Keys.Entry+"}:hook:*").Result()
			if err != nil || int64(len(known)) != accepted {
				f.Errorf("Redis remembers %d IDs, %d were accepted: %v", len(known), accepted, err)
			}
			grown := p.ProcStatus(f.T, "VmHWM") - base
			if grown > most {
				f.Errorf("the process took %d MB more", grown>>20)
			}
			f.Logf("%d requests to the CDN; the process took %d MB more than %d MB", len(requests), grown>>20, base>>20)
			f.Settle()
		}
	})
}

// run sends all webhooks with several senders, and checks each answer.
func (fl *flood) run(t *testing.T) {
	t.Helper()
	var senders sync.WaitGroup
	start := time.Now()
	for s := range floodSenders {
		senders.Go(func() {
			if err := fl.sender(s, start); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// sender sends every eighth webhook, from the s-th on, when it is due.
func (fl *flood) sender(s int, start time.Time) error {
	conn, err := net.Dial("tcp", fl.addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	var requests bytes.Buffer
	var wanted []int
	for next := s; next < fl.count; {
		requests.Reset()
		wanted = wanted[:0]
		now := time.Now()
		for due := int(now.Sub(start).Seconds() * fl.pace); next < min(due, fl.count) && len(wanted) < floodBatch; next += floodSenders {
			h, want := attack(fl.seen, fl.first+uint64(next), now)
			h.writeTo(&requests, fl.addr)
			wanted = append(wanted, want)
		}
		if len(wanted) == 0 {
			time.Sleep(time.Millisecond)
			continue
		}
		if _, err := conn.Write(requests.Bytes()); err != nil {
			return err
		}
		for _, want := range wanted {
			if err := fl.answer(answers, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer reads the answer to one webhook, and counts the accepted ones.
func (fl *flood) answer(from *bufio.Reader, want int) error {
	answer, err := http.ReadResponse(from, nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != want {
		return fmt.Errorf("a webhook: %d, want %d: %s", answer.StatusCode, want, text)
	}
	if strings.Contains(string(text), hookAsked) {
		fl.passed.Add(1)
	}
	return nil
}

// send sends one webhook on its own connection.
func (fl *flood) send(h hook, want int) error {
	conn, err := net.Dial("tcp", fl.addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var request bytes.Buffer
	h.writeTo(&request, fl.addr)
	if _, err := conn.Write(request.Bytes()); err != nil {
		return err
	}
	return fl.answer(bufio.NewReader(conn), want)
}

func (h hook) writeTo(out *bytes.Buffer, host string) {
	fmt.Fprintf(out, "POST /hook/%s HTTP/1.1\r\nHost: %s\r\nX-ConfigCat-Webhook-ID: %s\r\nX-ConfigCat-Webhook-Timestamp: %s\r\n"+
		"X-ConfigCat-Webhook-Signature-V1: %s\r\nContent-Length: %d\r\n\r\n%s",
		hookName, host, h.id, h.timestamp, h.signature, len(hookBody), hookBody)
}
