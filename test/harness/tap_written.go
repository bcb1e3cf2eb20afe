package harness

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/wire"
)

// written checks what scripts write to one Redis, in the byte-exact form that its replicas
// receive, on any server. Entry, blob and meta have the same content (I3), none goes back
// (I1, I9), and no write contains the SDK key (I13).
type written struct {
	audit *Auditor
	keys  cachekeys.Keys

	mu     sync.Mutex
	order  found
	offset int64 // how far the stream was read; 0: not at all
}

// restart discards the state that may have changed while it was not connected.
func (w *written) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.order, w.offset = found{}, 0
}

// await waits until the stream was read up to offset.
func (w *written) await(ctx context.Context, offset int64) {
	for ctx.Err() == nil {
		w.mu.Lock()
		seen := w.offset
		w.mu.Unlock()
		if seen >= offset {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// saw handles the commands that ran at one moment.
func (w *written) saw(commands [][]string, offset int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset = offset
	values := map[string]string{} // what one script has set
	for _, args := range commands {
		for _, arg := range args {
			if HasSecret([]byte(arg)) {
				w.fault("the SDK key is written: %.300q", args)
			}
		}
		if args[0] == "FLUSHALL" || args[0] == "FLUSHDB" {
			w.order = found{}
		}
		if len(commands) < 2 || len(args) < 3 {
			continue // no script of the bridge writes to one key alone
		}
		switch key := args[1]; {
		case key == w.keys.Entry && args[0] == "SET", key == w.keys.Blob && args[0] == "SET", key == w.keys.Source && args[0] == "SET":
			values[key] = args[2]
		case key == w.keys.Entry && args[0] == "SETRANGE" && len(args) == 4:
			w.moved(args[3], w.order.version)
		case key == w.keys.Meta && args[0] == "HSET":
			for i := 2; i+1 < len(args); i += 2 {
				values[key+" "+args[i]] = args[i+1]
			}
		}
	}
	if entry, ok := values[w.keys.Entry]; ok {
		w.onEntry(entry, values)
	}
}

// onEntry compares an entry with the other writes of the same script.
func (w *written) onEntry(text string, values map[string]string) {
	entry, err := cachekeys.ParseEntry([]byte(text))
	if err != nil {
		w.fault("an entry was written: %v", err)
		return
	}
	version, err := VersionIn(entry.JSON)
	if err != nil {
		w.fault("an entry was written: %v", err)
	}
	var content []byte
	blob, err := wire.ParseBlob([]byte(values[w.keys.Blob]))
	if err == nil {
		content, err = blob.JSON()
	}
	hash := wire.ContentHash(entry.JSON)
	meta := func(field string) string { return values[w.keys.Meta+" "+field] }
	switch {
	case err != nil:
		w.fault("a blob was written with version %d: %v (I3)", version, err)
	case !bytes.Equal(content, entry.JSON), blob.Hash != hash, meta("hash") != hash, meta("etag") != entry.ETag,
		meta("len") != strconv.Itoa(len(entry.JSON)):
		w.fault("with version %d were written a blob of %d bytes with hash %.8s, and in meta hash %.8s, len %s and etag %s; the entry has %d, %.8s and %s (I3)",
			version, len(content), blob.Hash, meta("hash"), meta("len"), meta("etag"), len(entry.JSON), hash, entry.ETag)
	}
	w.moved(strconv.FormatInt(entry.FetchTime, 10), w.served(entry, version, values))
}

// served returns the version that the CDN served when an entry was written, which has another version
// itself if an operator has pinned one.
func (w *written) served(entry cachekeys.Entry, version int64, values map[string]string) int64 {
	text, controlled := values[w.keys.Source], values[w.keys.Meta+" control"] != ""
	made := control.IsETag(entry.ETag, wire.ContentHash(entry.JSON))
	if made && !controlled || !controlled && text != "" {
		w.fault("with version %d were written the ETag %s and a source of %d bytes, and nothing is in force", version, entry.ETag, len(text))
	}
	switch source, err := wire.ParseSource([]byte(text)); {
	case text == "" && made:
		return w.order.version // unknown until the CDN answers
	case text == "":
	case err != nil:
		w.fault("a source was written with version %d: %v", version, err)
	case source.Rev != entry.FetchTime:
		w.fault("a source of rev %d was written with an entry of rev %d (I3)", source.Rev, entry.FetchTime)
	default:
		json, err := source.JSON()
		if err == nil {
			version, err = VersionIn(json)
		}
		if err != nil {
			w.fault("a source was written with version %d: %v", version, err)
		}
	}
	return version
}

// moved checks that a leader's writes do not go back.
func (w *written) moved(rev string, version int64) {
	now := found{version: version}
	now.fetched, _ = strconv.ParseInt(rev, 10, 64)
	if now.fetched < w.order.fetched || now.version < w.order.version {
		w.audit.wentBack(fmt.Sprintf("%+v was written after %+v", now, w.order))
	}
	w.order = now
}

func (w *written) fault(format string, args ...any) { w.audit.note(fmt.Sprintf(format, args...)) }
