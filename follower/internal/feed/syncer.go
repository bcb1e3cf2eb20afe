package feed

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/subscription"
)

// syncer is the state of a feed's main goroutine, which waits only for events, alarms, requests
// and replies of Redis.
type syncer struct {
	*feed
	events chan event
	conn   *connection // connecting or open; nil: none

	redial  *alarm // connect
	content *alarm // read the content
	reread  *alarm // ask which content is current
	silence *alarm // no heartbeat for too long

	connectBackoff backoff
	readBackoff    backoff
	failures       int // connections in a row that failed although Redis answered
	unreached      int // connections in a row that could not be established
	late           int // connections in a row that took too long
	undelivered    int // connections in a row on which no messages arrived
	openedAt       time.Time

	want      want
	windows   windows
	noConfig  noConfigs
	refusals  map[string]refusal  // the last of each kind that was logged
	anomaly   string              // hash of the last anomaly
	failing   subscription.Outage // of reads
	entryRead time.Time
	byLeader  bool // a leader was seen, or what one wrote: it may have written the entry, too

	rebase    rebase
	outrun    bool // a client may now use content that had to wait
	fresh     freshness
	freshHash string // of the content that fresh is about

	control    statedControl
	appliedSeq int64 // control.seq when content was last put in force

	// About the open connection.
	highWater     assertion // the greatest values of its messages and the first read after it was opened
	based         bool      // that read is in highWater
	lastHeartbeat time.Time // when its last heartbeat arrived

	renew time.Duration // the leader's heartbeat interval, as its messages state it; 0: unknown
}

func newSyncer(f *feed) *syncer {
	return &syncer{
		feed: f, events: make(chan event, MessageQueue),
		redial: newAlarm(), content: newAlarm(), reread: newAlarm(), silence: newAlarm(),
		connectBackoff: backoff{low: f.Timings.BackoffMin, high: f.Timings.BackoffMax},
		readBackoff:    backoff{low: f.Timings.BackoffMin, high: f.Timings.BackoffMax},
	}
}

func (s *syncer) run(ctx context.Context) {
	defer s.end()
	if s.Listen {
		s.connect(ctx)
		s.setReread()
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case e := <-s.events:
			s.onEvent(ctx, e)
		case <-s.redial.C:
			s.connect(ctx)
		case <-s.content.C:
			_, _ = s.readNewer(ctx)
		case <-s.reread.C:
			s.onReread(ctx)
		case <-s.silence.C:
			s.onSilence(ctx)
		case <-s.files:
			s.onFile()
		case r := <-s.requests:
			r.reply <- s.onRefresh(ctx, r.full)
		}
	}
}

// onFile publishes the file content of a client that joined, if it is newer.
func (s *syncer) onFile() {
	held, file := s.current.Load(), s.takeFile()
	if file != nil && (held == nil || file.Rev > held.Rev) {
		s.publish(file, false)
	}
}

func (s *syncer) onRefresh(ctx context.Context, full bool) error {
	if full {
		defer s.markSynced()
		return s.readContent(ctx)
	}
	_, err := s.sync(ctx)
	return err
}

func (s *syncer) end() {
	s.hangUp()
	for _, a := range []*alarm{s.redial, s.content, s.reread, s.silence} {
		a.off()
	}
	s.setState(Closed)
	s.markSynced()
	s.store.close()
}

func (s *syncer) state() State { return s.status.Load().State }

// setState reports whether the state changed.
func (s *syncer) setState(state State) bool {
	l := *s.status.Load()
	if l.State == state {
		return false
	}
	from := l.State
	l.State = state
	s.status.Store(&l)
	if state == Polling || from == Polling {
		s.setReread()
	}
	if subscribed := state == Live || state == NoLeader; subscribed && from != Live && from != NoLeader {
		s.log.Info(eventid.Live, "Subscribed to changes.")
	}
	switch {
	case state == NoLeader:
		s.log.Warn(eventid.NoLeader, "There is no leader: the config in Redis is not kept current.")
	case state == Live && from == NoLeader:
		s.log.Info(eventid.LeaderBack, "A leader is alive again.")
	}
	return true
}

// setLeader stores the leader's epoch and poll interval. Values that are not positive change
// nothing.
func (s *syncer) setLeader(epoch int64, poll time.Duration) {
	l := *s.status.Load()
	if poll <= 0 {
		poll = l.Poll
	}
	if epoch <= 0 {
		epoch = l.Epoch
	}
	if l.Epoch == epoch && l.Poll == poll {
		return
	}
	l.Epoch, l.Poll = epoch, poll
	s.status.Store(&l)
}

// observeControl adds a statement about controls, and reports whether it counts and names one.
func (s *syncer) observeControl(a assertion, seq int64, at time.Time, live bool) bool {
	if live && a.rev != 0 {
		s.led.Store(int64(at.Sub(s.born)))
	}
	counts := s.control.observe(a, seq, at, live)
	l := *s.status.Load()
	if was, is := l.Control, s.inForce(s.control.seq); was != is {
		l.Control = is
		s.status.Store(&l)
		switch {
		case was == 0:
			s.log.Info(eventid.Controlled, "An operator's control is in force: the config need not be the CDN's.", slog.Int64("seq", l.Control))
		case l.Control == 0:
			s.log.Info(eventid.ControlEnded, "The operator's control is no longer in force.", slog.Int64("seq", was))
		}
	}
	return counts && seq != 0
}
