package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
)

// pastConfigs reads configs of the history. It keeps the last few, and reads one history at a time, so
// that people who compare configs do not load Redis. It is safe for concurrent use.
type pastConfigs struct {
	reading chan struct{} // of capacity 1: full while a history is read

	mu    sync.Mutex
	kept  []pastConfig            // the last one used is the last
	lists map[string]*historyList // by label: what the last history had
}

// pastConfig is a config that a reference means. Revs mean the same for as long as the history has
// them.
type pastConfig struct {
	key, reference, name string // of the SDK key: a label may be that of another one later
	config               *evaluate.Config
}

const (
	maxPastConfigs = 4
	// readPastWithin bounds reading a history, waiting for others included.
	readPastWithin = 10 * time.Second
)

func newPastConfigs() *pastConfigs { return &pastConfigs{reading: make(chan struct{}, 1)} }

// config returns the config that a reference of [history.History.Find] means, and its name.
func (p *pastConfigs) config(r *request, reference string) (*evaluate.Config, string, error) {
	key, ok := r.ui.config.Observer.Secret(r.view.Label)
	if !ok {
		return nil, "", errors.New("the SDK key is not in the settings any more")
	}
	if known := p.find(key, reference); known != nil {
		return known.config, known.name, nil
	}
	if err := p.missing(r, reference); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(r.Context(), readPastWithin)
	defer cancel()
	if err := p.begin(ctx); err != nil {
		return nil, "", err
	}
	defer p.end()
	if known := p.find(key, reference); known != nil {
		return known.config, known.name, nil
	}
	if err := p.missing(r, reference); err != nil { // others have read it meanwhile
		return nil, "", err
	}
	found, err := r.ui.readPast(ctx, r, key, reference)
	if err != nil {
		return nil, "", err
	}
	p.keep(found)
	return found.config, found.name, nil
}

// begin waits until no history is being read. After a nil error, the caller reads one and calls end.
func (p *pastConfigs) begin(ctx context.Context) error {
	select {
	case p.reading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errors.New("other histories are being read: try again")
	}
}

func (p *pastConfigs) end() { <-p.reading }

func (u *UI) readPast(ctx context.Context, r *request, key, reference string) (*pastConfig, error) {
	h, err := history.Read(ctx, u.config.Redis, key, u.config.Namespace)
	if err != nil {
		return nil, fmt.Errorf("the history cannot be read: %w; run catbridge doctor", redisurl.Explain(err))
	}
	list := u.past.learn(r, key, h)
	i, err := h.Find(reference)
	if err != nil {
		return nil, referenceError(err)
	}
	json, err := h.Content(i)
	if err != nil {
		u.past.lacks(list, i, err)
		return nil, err
	}
	config, err := evaluate.Reparse(r.view.Config, json)
	if err != nil {
		return nil, err
	}
	v := h.Versions[i]
	name := fmt.Sprintf("rev %d", v.Rev)
	if v.Recorded() {
		name += " of " + v.Time.UTC().Format(humanTime)
	}
	return &pastConfig{key, reference, name, config}, nil
}

func (p *pastConfigs) find(key, reference string) *pastConfig {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.kept, func(c pastConfig) bool { return c.key == key && c.reference == reference })
	if i < 0 {
		return nil
	}
	known := p.kept[i]
	p.kept = append(slices.Delete(p.kept, i, i+1), known)
	return &known
}

// keep keeps configs of revs. Other references, such as times, mean another config later.
func (p *pastConfigs) keep(c *pastConfig) {
	if len(c.reference) != revDigits || strings.Trim(c.reference, "0123456789") != "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept = append(p.kept, *c); len(p.kept) > maxPastConfigs {
		p.kept = slices.Delete(p.kept, 0, 1)
	}
}

// revDigits is the number of digits of a rev. No other reference consists of as many digits.
const revDigits = 13
