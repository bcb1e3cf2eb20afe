package harness

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// tap receives every command that one Redis runs and checks every write of the bridge: its
// author holds the lock at that moment (I2), entry, blob and meta are written together and
// then announced (I3), and none contains the SDK key (I13). [written] checks the written
// content.
type tap struct {
	audit   *Auditor
	keys    cachekeys.Keys
	written *written

	mu     sync.Mutex
	lock   string        // its value, if known; empty: free or unknown
	until  time.Duration // when it expires, by Redis's clock
	known  bool          // whether the state of the lock is known
	claim  string        // the lock that the running script takes for its own
	gaveUp string        // the lock that the running script has released
	wrote  map[string]string
	marker string
	marked chan struct{} // closed when the marker arrives

	fenced  int             // scripts whose sender did not hold the lock
	sent    []time.Duration // times of the leaders' messages, by Redis's clock
	commits map[int64]int   // scripts that were sent to commit, by version
}

// expiryTolerance is for the time between a script's clock and MONITOR's.
const expiryTolerance = 50 * time.Millisecond

func newTap(a *Auditor, keys cachekeys.Keys) *tap {
	return &tap{audit: a, keys: keys, written: &written{audit: a, keys: keys}, commits: map[int64]int{}}
}

// Tap taps a Redis until the end of the test.
func (env *Environment) Tap(server *redistest.Process) {
	p := newTap(env.Audit, env.Keys)
	if env.taps == nil {
		env.taps = map[*redistest.Process]*tap{}
	}
	env.taps[server] = p
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
	env.Cleanup(func() {
		p.drain(server)
		cancel()
		running.Wait()
		p.audit.report(env.T)
	})
}

// drain waits for all commands that Redis has run so far, if Redis is up.
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

// restart discards the state that may have changed while the tap was not connected.
func (p *tap) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.claim, p.wrote = false, "", nil
}

// unseen records that the lock may change without a command.
func (p *tap) unseen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = false
}

func (p *tap) saw(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if HasSecret([]byte(line)) {
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

// begin handles a command that a client sent.
func (p *tap) begin(r ran) {
	switch r.args[0] {
	case "EVALSHA", "EVAL":
		p.claim = claimOf(r.args)
	case "FLUSHALL", "FLUSHDB", "REPLICAOF", "SLAVEOF":
		p.known = r.args[0][0] == 'F' // the lock is free then
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
		if unquoted, err := strconv.Unquote(`"` + arg + `"`); err == nil { // fails on Valkey's
			arg = unquoted
		}
		if version, err := VersionIn([]byte(arg)); err == nil {
			p.commits[version]++
		}
	}
}

// claimOf returns the lock's value in the arguments of a leader's script.
func claimOf(args []string) string {
	if len(args) < 3 {
		return ""
	}
	n, err := strconv.Atoi(args[2])
	if err != nil || len(args) <= 3+n {
		return ""
	}
	if _, _, err := wire.ParseLock(args[3+n]); err != nil {
		return ""
	}
	return args[3+n]
}

func (p *tap) fault(format string, args ...any) { p.audit.note(fmt.Sprintf(format, args...)) }

// RefusedScripts returns the number of scripts whose sender did not hold the lock.
func (env *Environment) RefusedScripts() int {
	n := 0
	for _, p := range env.taps {
		p.mu.Lock()
		n += p.fenced
		p.mu.Unlock()
	}
	return n
}

// PublishedSince returns the number of messages that leaders have published since a moment.
func (env *Environment) PublishedSince(moment time.Time) int {
	n := 0
	for server, p := range env.taps {
		p.drain(server)
		n += p.messagesSince(moment)
	}
	return n
}

// PublishedBy returns the number of messages that leaders have published through one Redis
// since a moment.
func (env *Environment) PublishedBy(server *redistest.Process, moment time.Time) int {
	return env.taps[server].messagesSince(moment)
}

// LockMayVanish records that the lock of a Redis may change without a command.
func (env *Environment) LockMayVanish(server *redistest.Process) { env.taps[server].unseen() }

// messagesSince compares by Redis's clock: a message may arrive at the tap much later.
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

// CommitsOf returns the number of scripts that were sent to commit a version, successful or
// not.
func (env *Environment) CommitsOf(version int64) (n int) {
	for _, p := range env.taps {
		p.mu.Lock()
		n += p.commits[version]
		p.mu.Unlock()
	}
	return n
}
