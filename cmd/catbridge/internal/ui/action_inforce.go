package ui

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/leader/control"
)

// controlCache keeps what is in force for the pages that show it, so that 50 open pages read it no more often
// than one. It belongs to one view: the next one reads again.
type controlCache struct {
	mu   sync.Mutex
	held map[string]heldControls // by label
}

type heldControls struct {
	view     *observe.View
	controls *control.Controls
	err      error
}

// controls returns what is in force, as of the view.
func (u *UI) controls(r *request) (*control.Controls, error) {
	if r.view.Err != "" {
		return nil, errors.New(r.view.Err) // do not wait for a Redis that does not answer
	}
	cache := &u.inForce
	cache.mu.Lock()
	defer cache.mu.Unlock()
	label := r.view.Label
	if held, ok := cache.held[label]; ok && held.view == r.view {
		return held.controls, held.err
	}
	controls, err := u.readControls(r, pageTimeout)
	if err != nil {
		err = orders.Explain(err)
	}
	if r.Context().Err() != nil {
		return controls, err // the browser has gone: others need not see its error
	}
	if cache.held == nil {
		cache.held = map[string]heldControls{}
	}
	cache.held[label] = heldControls{r.view, controls, err}
	return controls, err
}

// forget makes the next page read what is in force.
func (c *controlCache) forget(label string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, label)
}

func (u *UI) readControls(r *request, timeout time.Duration) (*control.Controls, error) {
	key, ok := u.config.Observer.Secret(r.view.Label)
	if !ok {
		return nil, notFoundf("There is no SDK key with this name any more.")
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	return control.Read(ctx, u.config.Redis, key, u.config.Namespace)
}
