package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/regularfile"
)

func (d *demo) start() error {
	d.sdkKey = newSDKKey()
	if err := d.openFile(); err != nil {
		return err
	}
	if err := d.openRedis(); err != nil {
		return err
	}
	d.redisKeys = d.redis.Keys(d.sdkKey)
	d.operator = d.redis.LeaderClient(nil)
	if err := d.serve(); err != nil {
		return err
	}
	d.pending = &change{after: d.file.Content(), at: time.Now(), took: map[*reader]time.Duration{}}
	d.warnBroken(d.file.Content())
	for i := range d.o.Leaders {
		n, err := startNode(d.ctx, "leader-"+strconv.Itoa(i+1), d.redis, d.sdkKey, d.cdnURL, d.log)
		if err != nil {
			return err
		}
		d.leaders = append(d.leaders, n)
	}
	for i := range d.o.Followers {
		r, err := startReader("follower-"+strconv.Itoa(i+1), d.redis, d.sdkKey, d.log, func(a arrival) {
			select {
			case d.arrivals <- a:
			case <-d.ctx.Done():
			}
		})
		if err != nil {
			return err
		}
		d.readers = append(d.readers, r)
	}
	if err := d.serveSDKs(); err != nil {
		return err
	}
	d.screen.text(
		terminal.Sprintf("catbridge demo: a CDN, %s, Redis and %s in one process", count(d.o.Leaders, "leader"), count(d.o.Followers, "follower")),
		terminal.Sprintf("CDN %s   Redis %s   Dashboard %s/ui/", d.cdnURL, d.redisURL, d.baseURL))
	return nil
}

// openFile opens the config. The demo's own config is in a new folder, and so is the copy that
// Once changes.
func (d *demo) openFile() error {
	if d.file = d.o.File; d.file != nil && !d.o.Once {
		return nil
	}
	content := ownConfig
	if d.file != nil {
		content = d.file.Content().JSON
	}
	var err error
	if d.folder, err = os.MkdirTemp("", "catbridge-demo-"); err != nil {
		return err
	}
	path := filepath.Join(d.folder, "config.json")
	if err := regularfile.Write(path, content); err != nil {
		return err
	}
	d.file, err = localcdn.Open(path)
	return err
}

const pingTimeout = 5 * time.Second

func (d *demo) openRedis() error {
	if d.o.Redis != nil {
		d.redis, d.redisURL = *d.o.Redis, d.o.Redis.URL()
		client := d.redis.Client()
		defer client.Close()
		ctx, cancel := context.WithTimeout(d.ctx, pingTimeout)
		defer cancel()
		if err := client.Ping(ctx).Err(); err != nil {
			return fmt.Errorf("Redis at %s does not answer: %w; run catbridge doctor", d.redis.Address(), redisurl.Explain(err))
		}
		return nil
	}
	d.embedded = miniredis.NewMiniRedis()
	// Keys must expire by the clock, as in a real Redis.
	d.embedded.ClockTTL(true)
	if err := d.embedded.StartAddr("127.0.0.1:0"); err != nil {
		d.embedded = nil
		return fmt.Errorf("start the embedded Redis: %w", err)
	}
	d.redisURL = "redis://" + d.embedded.Addr()
	var err error
	d.redis, err = redisurl.Parse(d.redisURL, redisurl.Single)
	return err
}

func (d *demo) serve() error {
	listener, err := (&net.ListenConfig{}).Listen(d.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the local CDN: %w", err)
	}
	d.cdnURL = "http://" + listener.Addr().String()
	d.cdn = localcdn.New(d.file.Content(), d.log.With("part", "cdn"))
	d.wg.Go(func() {
		if err := d.cdn.Serve(d.ctx, listener); err != nil {
			d.screen.eventf("the local CDN failed: %v", err)
		}
	})
	d.wg.Go(func() {
		d.file.Follow(d.ctx, func(content *localcdn.Content, err error) {
			select {
			case d.edits <- edit{content, err}:
			case <-d.ctx.Done():
			}
		})
	})
	return nil
}

// cleanTimeout bounds the removal of the demo's keys from a Redis that is not embedded.
const cleanTimeout = 2 * time.Second

// close stops everything in reverse order, and removes all traces of the demo except a file
// that the user has edited.
func (d *demo) close() error {
	for _, r := range d.readers {
		r.stop()
	}
	for _, n := range d.leaders {
		n.stop()
	}
	d.wg.Wait()
	if d.operator != nil {
		d.operator.Close()
	}
	var errs []error
	if d.o.Redis != nil && len(d.leaders) > 0 {
		client := d.redis.Client()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), cleanTimeout)
		defer cancel()
		k := d.redisKeys
		if err := client.Del(ctx, k.Entry, k.Lock, k.Meta, k.Blob, k.Patches, k.History, k.Control, k.Pinned, k.Source, k.Fleet).Err(); err != nil {
			errs = append(errs, fmt.Errorf("the demo's keys could not be deleted from Redis (%s and catbridge:{%s}:…): %w", k.Entry, k.Entry, err))
		}
		client.Close()
	}
	if d.embedded != nil {
		d.embedded.Close()
	}
	return errors.Join(append(errs, d.removeFolder())...)
}

func (d *demo) removeFolder() error {
	if d.folder == "" {
		return nil
	}
	if !d.o.Once {
		if now, err := regularfile.Read(filepath.Join(d.folder, "config.json"), evaluate.MaxConfigBytes); err != nil || string(now) != string(ownConfig) {
			d.screen.text(terminal.Sprintf("Your edited config remains in %s", d.folder))
			return nil //nolint:nilerr // a config that cannot be read is not removed, either
		}
	}
	return os.RemoveAll(d.folder)
}
