package demo

import (
	"errors"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/internal/regularfile"
	operators "github.com/catbridge/catbridge/leader/control"
)

// errInterrupted means that the demo was ended before the change reached all followers.
var errInterrupted = errors.New("interrupted")

// fetchGap is a little longer than the minimum time between two requests of a leader to the CDN.
// An earlier change would only measure that time.
const fetchGap = 1200 * time.Millisecond

// once makes one change in the demo's copy of the config, and waits until every follower has it. Then
// it forces a flag and withdraws that.
func (d *demo) once() error {
	began := time.Now()
	err := d.await(func() bool {
		return d.changes > 0 && d.leader != "" && time.Since(began) >= fetchGap
	}, "the followers have no config")
	if err != nil {
		return err
	}
	if d.ctx.Err() != nil {
		return errInterrupted
	}
	d.table()
	config, err := changed(d.file.Content().JSON)
	if err != nil {
		return err
	}
	if err := regularfile.Write(d.file.Path(), config); err != nil {
		return err
	}
	d.screen.event("the demo changes its copy of the config")
	began = time.Now()
	err = d.await(func() bool { return d.changes > 1 }, "the change did not reach every follower")
	switch {
	case err != nil && d.pending != nil:
		return fmt.Errorf("%w: %s", err, d.pending.reached(d.readers))
	case err != nil:
		return err
	case d.ctx.Err() != nil:
		return errInterrupted
	}
	took := duration(time.Since(began))
	if err := d.onceForced(); err != nil {
		return err
	}
	d.screen.text(terminal.Sprintf("done: the change reached %s, %s after the file was written", count(len(d.readers), "follower"), took))
	return nil
}

// onceForced forces a flag and withdraws that, waiting for every follower, and prints the history.
func (d *demo) onceForced() error {
	flag := ""
	steps := []func(*operators.Controls) (*operators.Change, string, error){
		func(c *operators.Controls) (*operators.Change, string, error) {
			flag, _, _ = d.forceable()
			return d.force(c)
		},
		func(c *operators.Controls) (*operators.Change, string, error) { return d.unforce(c, flag) },
	}
	for i, step := range steps {
		if err := d.operate(step); err != nil && d.ctx.Err() == nil {
			return fmt.Errorf("force a flag: %w", err)
		}
		err := d.await(func() bool { return d.orders > i }, "what an operator did has not reached every follower")
		switch {
		case err != nil && d.ordered != nil:
			return fmt.Errorf("%w: %s", err, d.ordered.reached(d.readers))
		case err != nil:
			return err
		case d.ctx.Err() != nil:
			return errInterrupted
		}
	}
	d.versions()
	return nil
}
