package ui

import (
	"errors"
	"fmt"

	"github.com/catbridge/catbridge/history"
)

// historyList is what a history had when it was read, without its contents. With it, references that lead nowhere
// are answered without reading the history again. It changes only with the lock of pastConfigs.
type historyList struct {
	key      string // the SDK key
	versions []history.Version
	lacking  map[int]error // why the contents of versions are not available
}

// learn keeps what a history has.
func (p *pastConfigs) learn(r *request, key string, h *history.History) *historyList {
	list := &historyList{key, h.Versions, map[int]error{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lists == nil {
		p.lists = map[string]*historyList{}
	}
	p.lists[r.view.Label] = list
	return list
}

// lacks keeps why the content of a version is not available.
func (p *pastConfigs) lacks(list *historyList, i int, why error) {
	if !errors.Is(why, history.ErrUnavailable) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	list.lacking[i] = why
}

// missing returns why a reference leads to no config, if that is known without reading the history: from what
// the view has, or from the list if no config came into force since.
func (p *pastConfigs) missing(r *request, reference string) error {
	view := r.view
	if view.HistoryErr != "" || view.Read.IsZero() {
		return nil
	}
	h := &history.History{Rev: view.Rev, Now: r.now.Add(view.Ahead)}
	if content := view.State.Content; content != nil {
		h.Rev = max(h.Rev, content.Rev)
	}
	for i := range view.History {
		h.Versions = append(h.Versions, view.History[i].Version)
	}
	_, err := h.Find(reference)
	if errors.Is(err, history.ErrReference) {
		return referenceError(err)
	}
	key, _ := r.ui.config.Observer.Secret(view.Label)
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.lists[view.Label]
	if list != nil && list.key == key && len(list.versions) > 0 && len(h.Versions) > 0 && list.versions[0].Rev == h.Versions[0].Rev && list.versions[0].Hash == h.Versions[0].Hash {
		h.Versions = list.versions
		i, err := h.Find(reference)
		if err != nil {
			return referenceError(err)
		}
		return list.lacking[i]
	}
	if err != nil && !view.Older {
		return referenceError(err)
	}
	return nil
}

// referenceError adds what to do to an error of [history.History.Find].
func referenceError(err error) error {
	if errors.Is(err, history.ErrReference) {
		return fmt.Errorf("%w: choose a config of the list, or give a rev, the start of a hash, -1, a time such as 2h, or current", err)
	}
	return fmt.Errorf("%w: choose a config of the list", err)
}
