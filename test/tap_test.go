package test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/redistest"
)

// tap sees every command that one Redis runs and judges every write of the bridge:
// that its author holds the lock at that moment (I2), that entry, blob and meta are
// written together and then announced (I3), that nothing goes back (I1, I9), and that
// the SDK key is in none (I13).
type tap struct {
	audit *auditor
	keys  cachekeys.Keys

	mu     sync.Mutex
	lock   string        // its value, as far as is known; empty: free, or not known
	until  time.Duration // when it expires, by Redis's clock
	known  bool          // whether anything is known of the lock
	claim  string        // of the script that runs: whose lock it takes for its own
	gaveUp string        // the lock that the script that runs has given up
	wrote  map[string]string
	order  found
	marker string
	marked chan struct{} // closed when the marker came by

	fenced int // scripts of those who did not hold the lock
	sent   int // messages of leaders
}

// expiryTolerance is for the time between a script's idea of now and MONITOR's.
const expiryTolerance = 50 * time.Millisecond

// tap taps a Redis until the end of the test.
func (w *world) tap(server *redistest.Process) {
	p := &tap{audit: w.audit, keys: w.keys}
	if w.taps == nil {
		w.taps = map[*redistest.Process]*tap{}
	}
	w.taps[server] = p
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			_ = monitor(ctx, server, p.saw)
			p.restart()
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	w.Cleanup(func() {
		p.drain(server)
		cancel()
		running.Wait()
		p.audit.report(w.T)
	})
}

// drain waits until all that Redis ran so far was seen, if Redis is there.
func (p *tap) drain(server *redistest.Process) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	marked := make(chan struct{})
	p.mu.Lock()
	p.marker, p.marked = rand.Text(), marked
	p.mu.Unlock()
	conn, err := server.Dial(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "PING %s\r\n", p.marker); err == nil {
		select {
		case <-marked:
		case <-ctx.Done():
		}
	}
}

// restart forgets what may have changed unseen.
func (p *tap) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.claim, p.wrote, p.order = false, "", nil, found{}
}

// unseen says that the lock may be lost or replaced with no command of anybody.
func (p *tap) unseen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = false
}

func (p *tap) saw(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if secretIn([]byte(line)) {
		p.fault("the SDK key stands in a command: %.300s", line)
	}
	r, err := parseRan(line)
	if err != nil {
		p.fault("%v", err)
		return
	}
	if !r.script {
		p.end()
		p.begin(r)
	}
	p.onLock(r)
	if r.script {
		p.onWrite(r)
	}
}

// begin takes in a command that some client sent.
func (p *tap) begin(r ran) {
	switch r.args[0] {
	case "EVALSHA", "EVAL":
		p.claim = claimOf(r.args)
	case "FLUSHALL", "FLUSHDB", "REPLICAOF", "SLAVEOF":
		p.order = found{}
		p.known = r.args[0][0] == 'F' // then it is free
		p.lock = ""
	case "PING":
		if len(r.args) == 2 && r.args[1] == p.marker && p.marked != nil {
			close(p.marked)
			p.marked = nil
		}
	}
	if p.claim != "" && p.known && p.claim != p.holder(r.at) {
		p.fenced++
	}
}

// claimOf is the lock's value that a script of a leader says it has.
func claimOf(args []string) string {
	if len(args) < 3 {
		return ""
	}
	n, err := strconv.Atoi(args[2])
	if err != nil || len(args) <= 3+n {
		return ""
	}
	if _, _, err := cachekeys.ParseLock(args[3+n]); err != nil {
		return ""
	}
	return args[3+n]
}

// holder is the lock's value at that moment; empty: it is free.
func (p *tap) holder(at time.Duration) string {
	if at > p.until+expiryTolerance {
		return ""
	}
	return p.lock
}

// onLock follows what happens to the lock, whoever does it.
func (p *tap) onLock(r ran) {
	if len(r.args) < 2 || r.args[1] != p.keys.Lock {
		if r.args[0] == "DEL" || r.args[0] == "MIGRATE" || r.args[0] == "RESTORE" {
			p.known = p.known && !strings.Contains(strings.Join(r.args, " "), p.keys.Lock)
		}
		return
	}
	switch r.args[0] {
	case "SET":
		if r.script && p.known && p.holder(r.at+2*expiryTolerance) != "" && p.owner() != ownerOf(r.args[2]) {
			p.fault("%s took the lock that %s held (I10)", r.args[2], p.lock)
		}
		p.lock, p.known = r.args[2], len(r.args) == 5
		if p.known {
			p.expire(r, r.args[3], r.args[4])
		}
	case "PEXPIRE":
		p.expire(r, "PX", r.args[2])
	case "PEXPIREAT":
		p.expire(r, "PXAT", r.args[2])
	case "DEL":
		if r.script {
			p.gaveUp = p.claim
		}
		p.lock, p.known = "", true
	case "GET", "PTTL", "EXISTS", "TYPE":
	default:
		p.known = false
	}
}

func (p *tap) owner() string { return ownerOf(p.lock) }

func ownerOf(lock string) string {
	id, _, _ := cachekeys.ParseLock(lock)
	return id
}

func (p *tap) expire(r ran, unit, amount string) {
	n, err := strconv.ParseInt(amount, 10, 64)
	if err != nil {
		p.known = false
		return
	}
	p.until = time.Duration(n) * time.Millisecond
	switch strings.ToUpper(unit) {
	case "PX":
		p.until += r.at
	case "PXAT":
	default:
		p.known = false
	}
}

// onWrite judges what a script did.
func (p *tap) onWrite(r ran) {
	if len(r.args) < 2 {
		return
	}
	what := ""
	switch {
	case r.args[0] == "HSET" && r.args[1] == p.keys.Meta && r.args[2] != "epoch",
		r.args[0] == "HSET" && r.args[1] == p.keys.Meta && len(r.args) > 4:
		what = "meta"
	case (r.args[0] == "SET" || r.args[0] == "SETRANGE") && r.args[1] == p.keys.Entry:
		what = "entry"
	case (r.args[0] == "SET" || r.args[0] == "SETRANGE") && r.args[1] == p.keys.Blob:
		what = "blob"
	case r.args[0] == "PUBLISH" && r.args[1] == p.keys.Events && p.claim != "":
		what = "message"
		p.sent++
	default:
		return
	}
	if p.known && p.claim != p.holder(r.at) && p.claim != p.gaveUp {
		p.fault("the %s was written for %q while %q held the lock (I2)", what, p.claim, p.holder(r.at))
	}
	if p.wrote == nil {
		p.wrote = map[string]string{}
	}
	p.wrote[what] = revOf(r.args)
	if what == "entry" {
		p.onEntry(r.args)
	}
}

// onEntry sees to it that what a leader writes does not go back.
func (p *tap) onEntry(args []string) {
	now := found{version: p.order.version}
	now.fetched, _ = strconv.ParseInt(revOf(args), 10, 64)
	if args[0] == "SET" {
		entry, err := cachekeys.ParseEntry([]byte(args[2]))
		if err != nil {
			p.fault("an entry was written: %v", err)
			return
		}
		if now.version, err = versionIn(entry.JSON); err != nil {
			p.fault("an entry was written: %v", err)
		}
	}
	if now.fetched < p.order.fetched || now.version < p.order.version {
		p.audit.wentBack(fmt.Sprintf("%+v was written after %+v", now, p.order))
	}
	p.order = now
}

// revOf is the rev that a write sets.
func revOf(args []string) string {
	switch args[0] {
	case "SET":
		rev, _, _ := strings.Cut(args[2], "\n")
		return rev
	case "SETRANGE":
		return args[3]
	}
	for i := 2; i+1 < len(args); i += 2 { // HSET
		if args[i] == "rev" {
			return args[i+1]
		}
	}
	return ""
}

// end looks at what the script before has written, all in all.
func (p *tap) end() {
	if p.wrote["entry"]+p.wrote["blob"]+p.wrote["meta"] != "" {
		_, announced := p.wrote["message"]
		if p.wrote["entry"] != p.wrote["blob"] || p.wrote["blob"] != p.wrote["meta"] || !announced {
			p.fault("a script wrote these revs: %v (I3)", p.wrote)
		}
	}
	p.claim, p.gaveUp, p.wrote = "", "", nil
}

func (p *tap) fault(format string, args ...any) { p.audit.note(fmt.Sprintf(format, args...)) }

// refused tells how many scripts there were of those who did not hold the lock.
func (w *world) refused() int {
	n := 0
	for _, p := range w.taps {
		p.mu.Lock()
		n += p.fenced
		p.mu.Unlock()
	}
	return n
}

// published tells how many messages leaders have published.
func (w *world) published() int {
	n := 0
	for _, p := range w.taps {
		n += p.messages()
	}
	return n
}

func (p *tap) messages() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}
