package interop

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkDashboardPages measures a leader whose dashboard people have open: its memory, and its CPU time for each
// second and each change. An operation is a change, every two seconds, of one of the 14 flags, which each page then shows.
// Run it with -benchtime 30x.
func BenchmarkDashboardPages(b *testing.B) {
	for _, pages := range []int{0, 1, 50} {
		b.Run(fmt.Sprint(pages), func(b *testing.B) {
			f := startShop(b, fleetOptions{})
			leader, _ := f.leading()
			f.report("shop", 100)
			paths := []string{
				"/ui/", "/ui/", "/ui/", "/ui/sdk/shop/flags", "/ui/sdk/shop/flags", "/ui/sdk/shop/fleet", "/ui/sdk/shop/fleet", "/ui/sdk/shop/flags/newCheckout", "/ui/sdk/shop/history", "/ui/sdk/shop/actions",
			}
			var wait sync.WaitGroup
			defer wait.Wait()
			var shown, bytes atomic.Int64
			for n := range pages {
				wait.Go(func() { leader.keepOpen(b, paths[n%len(paths)], &shown, &bytes) })
			}
			for shown.Load() < int64(pages) {
				f.pause()
			}
			shown.Store(0)
			bytes.Store(0)
			before, began := leader.sample(b, "process_cpu_seconds_total"), time.Now()
			time.Sleep(10 * time.Second) // what is measured takes time
			idle := (leader.sample(b, "process_cpu_seconds_total") - before) / time.Since(began).Seconds()
			before, began = leader.sample(b, "process_cpu_seconds_total"), time.Now()
			texts := []string{"Free shipping!", "Free delivery!"}
			changes := 0
			for b.Loop() {
				f.change("shop", texts[changes%2], texts[(changes+1)%2])
				changes++
				time.Sleep(2 * time.Second)
			}
			busy := (leader.sample(b, "process_cpu_seconds_total") - before) / time.Since(began).Seconds()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(100*idle, "%CPU-idle")
			b.ReportMetric(100*busy, "%CPU")
			b.ReportMetric(leader.sample(b, "process_resident_memory_bytes")/1e6, "MB")
			b.ReportMetric(leader.sample(b, "go_memstats_heap_inuse_bytes")/1e6, "heap-MB")
			b.ReportMetric(float64(shown.Load())/float64(changes), "fetches/change")
			b.ReportMetric(float64(bytes.Load())/1e3/float64(changes), "kB/change")
			leader.kill() // it ends the pages
		})
	}
}

// keepOpen does as the dashboard's scripts do in an open page, until the process ends: it requests the content of the
// page at each event.
func (p *dashboardProcess) keepOpen(t testing.TB, path string, shown, bytes *atomic.Int64) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	get := func(path, fragment string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url(path), nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		if fragment != "" {
			r.Header.Set("Catbridge-Fragment", fragment)
		}
		res, err := client.Do(r)
		if err != nil {
			return nil // the process has ended
		}
		return res
	}
	events := get("/ui/events", "")
	if events == nil {
		return
	}
	defer events.Body.Close()
	for lines := bufio.NewScanner(events.Body); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "data:") {
			continue
		}
		res := get(path, "main")
		if res == nil {
			return
		}
		n, _ := io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, res.Status)
		}
		shown.Add(1)
		bytes.Add(n)
	}
}

// sample returns a metric of the process.
func (p *dashboardProcess) sample(t testing.TB, name string) float64 {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(p.try("/metrics"))
	if line == nil {
		t.Fatalf("the process has no metric %s", name)
	}
	value, err := strconv.ParseFloat(string(line[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
