package harness

import (
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// holder returns the lock's value at that moment; empty: it is free.
func (p *tap) holder(at time.Duration) string {
	if at > p.until+expiryTolerance {
		return ""
	}
	return p.lock
}

// onLock follows every change of the lock.
func (p *tap) onLock(r ran) {
	if len(r.args) < 2 || r.args[1] != p.keys.Lock {
		if r.args[0] == "DEL" || r.args[0] == "MIGRATE" || r.args[0] == "RESTORE" {
			p.known = p.known && !strings.Contains(strings.Join(r.args, " "), p.keys.Lock)
		}
		return
	}
	switch r.args[0] {
	case "SET":
		if r.script && p.known && p.holder(r.at+2*expiryTolerance) != "" && p.owner() != ownerOf(r.args[2]) {
			p.fault("%s took the lock that %s held (I10)", r.args[2], p.lock)
		}
		p.lock, p.known = r.args[2], len(r.args) == 5
		if p.known {
			p.expire(r, r.args[3], r.args[4])
		}
	case "PEXPIRE":
		p.expire(r, "PX", r.args[2])
	case "PEXPIREAT":
		p.expire(r, "PXAT", r.args[2])
	case "DEL":
		if r.script {
			p.gaveUp = p.claim
		}
		p.lock, p.known = "", true
	case "GET", "GETRANGE", "PTTL", "EXISTS", "TYPE":
	default:
		p.known = false
	}
}

func (p *tap) owner() string { return ownerOf(p.lock) }

func ownerOf(lock string) string {
	id, _, _ := wire.ParseLock(lock)
	return id
}

func (p *tap) expire(r ran, unit, amount string) {
	n, err := strconv.ParseInt(amount, 10, 64)
	if err != nil {
		p.known = false
		return
	}
	p.until = time.Duration(n) * time.Millisecond
	switch strings.ToUpper(unit) {
	case "PX":
		p.until += r.at
	case "PXAT":
	default:
		p.known = false
	}
}
