// Package demo runs the whole bridge in one process: a CDN that serves a file, leaders, Redis
// and followers. A screen shows their events, and what operators do.
package demo

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/leader"
)

// Options configure the demo.
type Options struct {
	Redis     *redisurl.Options // nil: an embedded one
	File      *localcdn.File    // with the config; nil: the demo's own config, in a new folder
	Leaders   int
	Followers int
	Once      bool          // make one change, and exit
	Timeout   time.Duration // bounds the start, and the change of Once

	Program string // how the user starts catbridge
	In      io.Reader
	Out     *terminal.Output
	// Log returns the logger of leaders and followers. On a terminal, it must write to screen.
	// Otherwise screen is nil.
	Log func(screen io.Writer) *slog.Logger
}

// demo is not safe for concurrent use, except for fields whose types are.
type demo struct {
	o      Options
	ctx    context.Context
	wg     sync.WaitGroup
	screen *screen
	log    *slog.Logger

	sdkKey    string
	redisKeys cachekeys.Keys
	embedded  *miniredis.Miniredis // nil: another Redis is used
	redis     redisurl.Options
	redisURL  string

	folder string // created by the demo; empty: no folder
	file   *localcdn.File
	cdn    *localcdn.Server
	cdnURL string

	baseURL string // for official SDKs

	users   []user
	leaders []*node
	readers []*reader

	arrivals chan arrival
	edits    chan edit
	pressed  chan rune
	keys     bool // commands are single keys, not lines

	operator redis.UniversalClient // for what operators do

	pending     *change                       // of the CDN's content, in progress; nil: no change
	ordered     *change                       // by operators, in progress; nil: no change
	latest      *localcdn.Content             // the newest that a follower has; nil: none
	changes     int                           // of the CDN's content that have reached all followers, including the first
	orders      int                           // by operators that have reached all followers
	leader      string                        // the leader shown last; empty: no leader
	local       atomic.Pointer[leader.Leader] // whose state the dashboard shows
	killedAt    time.Time
	readerState string
	pollError   string
	suspect     map[*node]uint64 // Suspect of the last stats
}

type edit struct {
	content *localcdn.Content
	err     error
}

//go:embed config.json
var ownConfig []byte

// Run runs the demo until ctx or the user ends it. With Once, it returns an error if the change
// does not reach every follower in time.
func Run(ctx context.Context, o Options) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	onTerminal := o.Out.Terminal()
	d := &demo{
		o: o, ctx: ctx, users: demoUsers(), suspect: map[*node]uint64{},
		screen: &screen{
			out: o.Out, end: cancel, terminal: onTerminal, now: time.Now, width: terminal.Width(o.Out),
		},
		arrivals: make(chan arrival), edits: make(chan edit),
	}
	if onTerminal {
		d.log = o.Log(d.screen)
	} else {
		d.log = o.Log(nil)
	}
	defer func() {
		cancel()
		d.screen.setStatus("")
		err = errors.Join(err, d.close())
	}()
	if err := d.start(); err != nil {
		return err
	}
	if o.Once {
		return d.once()
	}
	defer d.takeKeys()()
	return d.loop()
}

// newSDKKey returns a random SDK key, which separates the demo from others on the same Redis.
func newSDKKey() string {
	return "configcat-sdk-1/catbridge-demo-account/" + rand.Text()[:22]
}

// tick is how often the demo checks leaders and followers.
const tick = 100 * time.Millisecond

func (d *demo) loop() error {
	started := func() bool { return d.changes > 0 && d.leader != "" }
	if err := d.await(started, "the followers have no config"); err != nil || !started() {
		return err
	}
	d.table()
	d.guide()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		d.screen.setStatus(d.status())
		select {
		case <-d.ctx.Done():
			return nil
		case key := <-d.pressed:
			if !d.press(key) {
				return nil
			}
		case a := <-d.arrivals:
			d.arrived(a)
		case e := <-d.edits:
			d.edited(e)
		case <-ticker.C:
			d.look()
		}
	}
}

// await handles events until so returns true. It returns an error after the timeout, and nil if
// the demo ends before.
func (d *demo) await(so func() bool, otherwise string) error {
	late := time.NewTimer(d.o.Timeout)
	defer late.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for !so() {
		select {
		case <-d.ctx.Done():
			return nil
		case <-late.C:
			return fmt.Errorf("%s within %v", otherwise, d.o.Timeout)
		case key := <-d.pressed:
			if key == 'q' || key == ctrlC {
				return nil
			}
		case a := <-d.arrivals:
			d.arrived(a)
		case e := <-d.edits:
			d.edited(e)
		case <-ticker.C:
			d.look()
		}
	}
	return nil
}

// look checks the states that cause no events.
func (d *demo) look() {
	d.watchLeaders()
	d.watchReaders()
	d.watchChange()
}

func (d *demo) edited(e edit) {
	if e.err != nil {
		d.screen.event(terminal.Paint(terminal.Red, "the new version is invalid; the last valid one stays in effect"), terminal.Sprintf("%v", e.err))
		return
	}
	if e.content.Hash == d.cdn.Current().Hash {
		d.screen.event(terminal.Paint(terminal.Green, "the file is valid again"), "its content is the one that the CDN serves")
		return
	}
	d.publish(e.content)
}
