package model

import "iter"

const (
	dead           = 10_000
	metaReread     = 90_000 // 60 s ± 50 %
	rebaseItems    = 3
	rebaseSpan     = 30_000
	rebaseUnderWay = 20_000
	readsAtOnce    = 3
	lagTries       = 10
	primaryAfter   = 3
)

// held is what a follower has in force; rev 0: nothing.
type held struct {
	rev  int64
	hash content
	body content
}

// job is what the sync goroutine is woken for.
type job uint8

const (
	onMessage job = iota
	onOpened
	onReread
	onContent
)

// reader is a follower: message.go, read.go, content.go and rebase.go of package
// follower, written as they are. Like process it is a coroutine.
type reader struct {
	w       *World
	side    int
	replica bool // where the next read goes, as the world has it

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
	content bool // the alarm to read the content is on
	want    struct {
		rev   int64
		hash  content
		tries int
	}
	rebase rebase
	own    own

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
	at      int // oracle: where in the CDN's history what is held stands, at least
}

func newReader(w *World, side int) *reader {
	f := &reader{w: w, side: side, at: -1, own: own{at: -1}}
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

// redis waits until Redis answers; nil: an error.
func (f *reader) redis() *store {
	f.reading = true
	f.wait()
	f.reading = false
	if f.failed {
		return nil
	}
	return f.w.read(f)
}

func (f *reader) do() {
	switch f.job {
	case onMessage:
		f.onMessage(f.message)
	case onOpened:
		if f.w.without.has(ReadOnConnect) {
			return
		}
		if f.held.rev != 0 {
			f.readHead()
		} else {
			f.readAll()
		}
	case onReread:
		f.reread = f.w.now
		f.want.tries = 0
		f.readHead()
	case onContent:
		f.readAll()
	}
}
