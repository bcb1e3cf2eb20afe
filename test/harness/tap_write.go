package harness

import (
	"strings"
)

// onWrite checks a write of a script.
func (p *tap) onWrite(r ran) {
	if len(r.args) < 2 {
		return
	}
	what := ""
	switch {
	case r.args[0] == "HSET" && r.args[1] == p.keys.Meta && !isAcquisition(r.args):
		what = "meta"
	case (r.args[0] == "SET" || r.args[0] == "SETRANGE") && r.args[1] == p.keys.Entry:
		what = "entry"
	case (r.args[0] == "SET" || r.args[0] == "SETRANGE") && r.args[1] == p.keys.Blob:
		what = "blob"
	case r.args[0] == "PUBLISH" && r.args[1] == p.keys.Events && p.claim != "":
		what = "message"
		p.sent = append(p.sent, r.at)
	default:
		return
	}
	if p.known && p.claim != p.holder(r.at) && p.claim != p.gaveUp {
		p.fault("the %s was written for %q while %q held the lock (I2)", what, p.claim, p.holder(r.at))
	}
	if p.wrote == nil {
		p.wrote = map[string]string{}
	}
	if rev := revOf(r.args); rev != "" || p.wrote[what] == "" { // one script may write meta twice
		p.wrote[what] = rev
	}
}

// isAcquisition reports whether a write of meta is that of an acquisition, which needs no lock: it begins
// with the epoch and sets no rev.
func isAcquisition(args []string) bool {
	return len(args) > 2 && args[2] == "epoch" && revOf(args) == ""
}

// revOf returns the rev that a write sets.
func revOf(args []string) string {
	switch args[0] {
	case "SET":
		rev, _, _ := strings.Cut(args[2], `\n`)
		return rev
	case "SETRANGE":
		return args[3]
	}
	for i := 2; i+1 < len(args); i += 2 { // HSET
		if args[i] == "rev" {
			return args[i+1]
		}
	}
	return ""
}

// end checks the writes of the last script as a whole.
func (p *tap) end() {
	if p.wrote["entry"]+p.wrote["blob"]+p.wrote["meta"] != "" {
		_, announced := p.wrote["message"]
		if p.wrote["entry"] != p.wrote["blob"] || p.wrote["blob"] != p.wrote["meta"] || !announced {
			p.fault("a script wrote these revs: %v (I3)", p.wrote)
		}
	}
	p.claim, p.gaveUp, p.wrote = "", "", nil
}
