package inspect

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/wire"
)

// Control is what operators have put in force.
type Control struct {
	// Applied reports whether the leader has acted: the current content was made with exactly this.
	Applied bool    `json:"applied"`
	Pin     *Pin    `json:"pin"` // nil: none
	Forced  []Force `json:"forced"`
}

// Order is what a pin and a force have in common.
type Order struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

// Pin is a config that is held against the CDN's.
type Pin struct {
	Rev  int64  `json:"rev,omitempty"` // missing: the config was not in force before
	Hash string `json:"hash"`
	Order
}

// Force is a flag that serves one value.
type Force struct {
	Flag      string `json:"flag"`
	Value     any    `json:"value"`
	Suspended string `json:"suspended,omitempty"` // why the flag does not serve the value; always empty in a Key
	Order
}

func newOrder(o control.Order) Order {
	return Order{By: o.By, Reason: o.Reason, Since: time.UnixMilli(o.Since).UTC(), Until: time.UnixMilli(o.Until).UTC()}
}

const maxControlBytes = control.MaxBytes

// pinnedHead is the size of the head of the pinned content, up to its hash.
const pinnedHead = wire.MaxDigits + 1 + 64 + 1

// readControl reads what is in force. current is meta. Without a leader that knows of controls,
// nothing is in force.
func (k *Key) readControl(stored, pinned *redis.StringCmd, current wire.Meta, now time.Time) error {
	data, err := limited.Bytes(stored)
	switch {
	case k.refused(err, "what operators have put in force"):
		return nil
	case isWrongType(err):
		err = errors.New("it is not a string")
	case err != nil:
		return fmt.Errorf("read the control: %w", err)
	}
	var c *control.Control
	if err == nil && data != nil {
		c, err = control.Parse(data)
	}
	switch {
	case current.Epoch != 0 && !current.HasProto():
		if c := c.InForce(now.UnixMilli()); !c.Empty() {
			k.Remarks = append(k.Remarks, "what operators ordered is not in force: the latest leader process has an earlier version, which acts on no pin and no force")
		}
		return nil
	case err != nil && current.Control != 0:
		k.fault("what operators have put in force is corrupt in Redis; a leader that acted on it writes it again: %v", err)
		return nil
	case err != nil:
		k.Remarks = append(k.Remarks, fmt.Sprintf("what operators ordered is corrupt in Redis, and nothing is in force: %v", err))
		return nil
	case current.Control != 0 && (c == nil || c.Seq < current.Control):
		k.lostControl = true
		k.fault("Redis has lost what operators have put in force; a leader that acted on it writes it again")
		return nil
	}
	in := c.InForce(now.UnixMilli())
	if in.Empty() {
		return nil
	}
	k.Control = &Control{Applied: current.Control == in.Seq, Forced: []Force{}}
	if p := in.Pin; p != nil {
		k.Control.Pin = &Pin{Rev: p.Rev, Hash: p.Hash, Order: newOrder(p.Order)}
		k.checkPinned(pinned, p.Hash)
	}
	for _, f := range in.Forced {
		k.Control.Forced = append(k.Control.Forced, Force{Flag: f.Flag, Value: f.Value.Any(), Order: newOrder(f.Order)})
	}
	if !k.Control.Applied {
		k.Remarks = append(k.Remarks, "the leader has not acted yet on what operators have put in force")
	}
	return nil
}

// checkPinned checks that Redis has the content of the pin.
func (k *Key) checkPinned(pinned *redis.StringCmd, hash string) {
	data, err := limited.Bytes(pinned)
	if k.refused(err, "the pinned config") {
		return
	}
	if _, rest, _ := strings.Cut(string(data), "\n"); err != nil || !strings.HasPrefix(rest, hash+"\n") {
		k.fault("Redis has lost the pinned config; a leader that acted on the pin writes it again; otherwise pin it again, or withdraw the pin")
	}
}

// Overwrites says how often the leader had to repair the entry because an official SDK that is not
// offline had overwritten it.
type Overwrites struct {
	Count int64     `json:"count"`
	Last  time.Time `json:"last"`
}

// overwritesRecently is how long after the last overwrite of the entry a remark mentions it.
const overwritesRecently = time.Hour

func (k *Key) noteOverwrites(o wire.Overwrites, now time.Time) {
	if o.Last == 0 {
		return
	}
	k.Overwrites = &Overwrites{o.Count, time.UnixMilli(o.Last).UTC()}
	if ago := now.Sub(k.Overwrites.Last); ago < overwritesRecently {
		k.Remarks = append(k.Remarks, fmt.Sprintf("official SDKs that are not offline have overwritten the entry %d times, the last time %v ago, and the leader repaired it: "+
			"they follow the CDN, and no pin and no force", o.Count, max(0, ago).Round(time.Second)))
	}
}
