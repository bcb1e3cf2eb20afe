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
// written together and then announced (I3), and that the SDK key is in none (I13). What
// is written [written] judges.
type tap struct {
	audit   *auditor
	keys    cachekeys.Keys
	written *written

	mu     sync.Mutex
	lock   string        // its value, as far as is known; empty: free, or not known
	until  time.Duration // when it expires, by Redis's clock
	known  bool          // whether anything is known of the lock
	claim  string        // of the script that runs: whose lock it takes for its own
	gaveUp string        // the lock that the script that runs has given up
	wrote  map[string]string
	marker string
	marked chan struct{} // closed when the marker came by

	fenced  int             // scripts of those who did not hold the lock
	sent    []time.Duration // messages of leaders, by Redis's clock
	commits map[int64]int   // scripts that were sent to commit a version
}

// expiryTolerance is for the time between a script's idea of now and MONITOR's.
const expiryTolerance = 50 * time.Millisecond

func newTap(a *auditor, keys cachekeys.Keys) *tap {
	return &tap{audit: a, keys: keys, written: &written{audit: a, keys: keys}, commits: map[int64]int{}}
}

// tap taps a Redis until the end of the test.
func (w *world) tap(server *redistest.Process) {
	p := newTap(w.audit, w.keys)
	if w.taps == nil {
		w.taps = map[*redistest.Process]*tap{}
	}
	w.taps[server] = p
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	again := func(follow func(), restart func()) {
		for ctx.Err() == nil {
			follow()
			restart()
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	running.Go(func() { again(func() { _ = monitor(ctx, server, p.saw) }, p.restart) })
	running.Go(func() { again(func() { _ = server.Replicate(ctx, p.written.saw) }, p.written.restart) })
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
	if offset, err := server.Offset(ctx); err == nil {
		p.written.await(ctx, offset)
	}
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
	p.known, p.claim, p.wrote = false, "", nil
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
	for _, arg := range r.args {
		if p.claim == "" || !strings.HasPrefix(arg, "{") {
			continue
		}
		if unquoted, err := strconv.Unquote(`"` + arg + `"`); err == nil { // not Valkey's
			arg = unquoted
		}
		if version, err := versionIn([]byte(arg)); err == nil {
			p.commits[version]++
		}
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

// publishedSince tells how many messages leaders have published since a moment.
func (w *world) publishedSince(moment time.Time) int {
	n := 0
	for server, p := range w.taps {
		p.drain(server)
		n += p.messagesSince(moment)
	}
	return n
}

// messagesSince goes by Redis's clock: what is heard of late may have been before.
func (p *tap) messagesSince(moment time.Time) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.sent {
		if time.Unix(0, int64(at)).After(moment) {
			n++
		}
	}
	return n
}

// commitsOf tells how many scripts were sent to commit a version, whatever came of them.
func (w *world) commitsOf(version int64) (n int) {
	for _, p := range w.taps {
		p.mu.Lock()
		n += p.commits[version]
		p.mu.Unlock()
	}
	return n
}
