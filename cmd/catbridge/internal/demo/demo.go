// Package demo runs the whole bridge in one process: a CDN that serves a file, leaders,
// Redis, followers, and a screen that shows what they do.
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
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

// Options say what the demo is to be made of.
type Options struct {
	Redis     *redisurl.Options // nil: one in this process
	Config    string            // path of the config; empty: the demo's own, in a new folder
	Leaders   int
	Followers int
	Once      bool          // make one change, and end
	Timeout   time.Duration // bounds the start, and the change of Once

	Program string // how the user starts catbridge
	In      io.Reader
	Out     *terminal.Output
	// Log makes the logger of leaders and followers. On a terminal it is to write to
	// screen, else, where screen is nil, wherever it likes.
	Log func(screen io.Writer) *slog.Logger
}

// demo belongs to one goroutine, but for what its fields' types make safe.
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

	folder string // of the demo's own; empty: there is none
	file   *localcdn.File
	cdn    *localcdn.Server
	cdnURL string

	users   []user
	leaders []*node
	readers []*reader

	arrivals chan arrival
	edits    chan edit
	pressed  chan rune
	keys     bool // single keys, as opposed to lines

	pending     *change // on its way; nil: none
	changes     int     // that have reached everybody, the first content included
	leader      string  // who leads, as told last
	killedAt    time.Time
	readerState string
	pollError   string
	doubted     map[*node]uint64
}

// edit is a new version of the file, or why it is refused.
type edit struct {
	content *localcdn.Content
	err     error
}

//go:embed config.json
var ownConfig []byte

// Run runs the demo until ctx ends or the user ends it. With Once it returns an error
// if the change does not reach every follower in time.
func Run(ctx context.Context, o Options) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	onTerminal := o.Out.Terminal()
	d := &demo{
		o: o, ctx: ctx, users: demoUsers(), doubted: map[*node]uint64{},
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

// newSDKKey makes up an SDK key, so that two demos on one Redis do not meet. It opens nothing.
func newSDKKey() string {
	return "configcat-sdk-1/catbridge-demo-account/" + rand.Text()[:22]
}

// tick is how often leaders and followers are looked at.
const tick = 100 * time.Millisecond

// loop shows what happens, and does what the user asks for.
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

// await handles events until something is so; an error if that takes too long. The end
// of the demo is none.
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

// look watches what tells nothing by itself.
func (d *demo) look() {
	d.watchLeaders()
	d.watchReaders()
	d.watchChange()
}

// edited serves a new version of the file.
func (d *demo) edited(e edit) {
	if e.err != nil {
		d.screen.event(terminal.Paint(terminal.Red, "the new version is refused, the last good one goes on"), terminal.Sprintf("%v", e.err))
		return
	}
	if e.content.Hash == d.cdn.Current().Hash {
		d.screen.event(terminal.Paint(terminal.Green, "the file is good again"), "it is what the CDN serves anyhow")
		return
	}
	d.publish(e.content)
}
