package model

import "iter"

const (
	dead           = 10_000
	metaReread     = 90_000 // 60 s ± 50 %
	rebaseItems    = 3
	rebaseSpan     = 30_000
	rebaseInFlight = 20_000
	readsAtOnce    = 3
	lagTries       = 10
	primaryAfter   = 3
)

// held is the content in force of a follower. If rev is 0, there is none.
type held struct {
	rev  int64
	hash content
	body content
}

// job is why the sync goroutine wakes.
type job uint8

const (
	onMessage job = iota
	onOpened
	onReread
	onContent
)

// reader is a follower. It follows message.go, read.go, content.go and rebase.go of package
// follower. Like process it is a coroutine.
type reader struct {
	sys     *System
	side    int
	replica bool // whether the next read goes to the replica

	resume func() (struct{}, bool)
	end    func()
	pause  func(struct{}) bool

	reading bool // waits for Redis
	failed  bool
	job     job
	message message

	subscribed bool
	queue      []message

	held    held
	content bool // the timer for reading the content is set
	want    struct {
		rev   int64
		hash  content
		tries int
	}
	stated, stored bool // a message on this connection stated whether there are patches
	whole          bool // they did not help: the next read is of the blob
	rebase         rebase
	own            own

	// freshness.go
	fresh struct {
		epoch, cdn, answered, seen int64
		hash                       content
	}
	confirmed struct {
		hash content
		at   int64
	}

	rebases int
	reread  int64
	at      int // for the oracle: the least position of held in the CDN's history
}

func newReader(sys *System, side int) *reader {
	f := &reader{sys: sys, side: side, at: -1, own: own{at: -1}}
	f.resume, f.end = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(pausing); !ok {
					panic(r)
				}
			}
		}()
		f.pause = yield
		for {
			f.wait()
			f.do()
		}
	})
	f.resume()
	return f
}

func (f *reader) wait() {
	if !f.pause(struct{}{}) {
		panic(pausing{})
	}
}

// redis waits for Redis's answer. It returns nil on an error.
func (f *reader) redis() *store {
	f.reading = true
	f.wait()
	f.reading = false
	if f.failed {
		return nil
	}
	return f.sys.read(f)
}

func (f *reader) do() {
	switch f.job {
	case onMessage:
		f.onMessage(f.message)
	case onOpened:
		if f.sys.without.has(ReadOnConnect) {
			return
		}
		if f.held.rev != 0 {
			f.readHead()
		} else {
			f.readAll()
		}
	case onReread:
		f.reread = f.sys.now
		f.want.tries = 0
		f.readHead()
	case onContent:
		f.readNewer()
	}
}
