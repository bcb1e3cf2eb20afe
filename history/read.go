package history

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

const (
	// readsAtOnce is how often everything is read if the parts do not match: the leader may have
	// written between two reads.
	readsAtOnce = 3
	// pageEntries is how many entries are read at once.
	pageEntries = 8
	// maxReadBytes bounds what is read of a history, see [limited.Reply.Size]. The stream may be another client's.
	maxReadBytes = wire.MaxHistoryBytes + 2*wire.MaxBlobBytes
)

// Read reads the history of an SDK key in a namespace; an empty namespace means none. The client is
// a *redis.Client or a *redis.ClusterClient. The errors are Redis's, or say what is malformed. If
// Redis has no config, the history is empty.
func Read(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) (*History, error) {
	return read(ctx, client, sdkKey, namespace, reader{maxBytes: maxReadBytes, maxEntries: wire.MaxHistoryEntries})
}

// ReadNewest is like [Read], but for the current config it reads at most the newest entries that maxEntries
// and maxBytes allow, and sets Cut if there are more. maxBytes counts what Redis sends; 0 or less reads no entry.
func ReadNewest(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string, maxEntries, maxBytes int) (*History, error) {
	most := max(0, min(maxEntries, wire.MaxHistoryEntries))
	return read(ctx, client, sdkKey, namespace, reader{maxBytes: min(maxBytes, maxReadBytes), maxEntries: most + 1, cut: true})
}

func read(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string, r reader) (*History, error) {
	if err := redisnode.Check(client); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if err := cachekeys.CheckNamespace(namespace); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	r.client, r.keys = client, cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)
	for try := 1; ; try++ {
		h, err := r.read(ctx)
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		if try < readsAtOnce && len(h.Versions) > 0 && (h.current == nil || !h.Versions[0].Recorded()) {
			continue // perhaps the leader wrote meanwhile
		}
		return h, nil
	}
}

// reader reads the history of one SDK key.
type reader struct {
	client     redis.UniversalClient
	keys       cachekeys.Keys
	maxBytes   int
	maxEntries int
	cut        bool // stop at the limits, instead of an error; one entry more than wanted shows that there are more
}

func (r reader) read(ctx context.Context) (*History, error) {
	entries, malformed, more, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	meta, err := r.meta(ctx)
	if err != nil {
		return nil, err
	}
	h := &History{Rev: meta.Rev, Malformed: malformed, Cut: more}
	if h.Now, err = r.now(ctx); err != nil {
		return nil, err
	}
	h.add(meta, entries)
	if meta.Hash != "" {
		if h.current, err = r.content(ctx, meta.Hash); err != nil {
			return nil, err
		}
	}
	h.json = h.current
	return h, nil
}

// add adds the current config and the entries, which are the newest first.
func (h *History) add(meta wire.Meta, entries []wire.HistoryEntry) {
	if meta.Rev != 0 && (len(entries) == 0 || entries[0].Hash != meta.Hash) {
		h.Versions = append(h.Versions, Version{Rev: meta.Rev, Hash: meta.Hash, ETag: meta.ETag, Size: meta.Len, Gap: Unrecorded})
		h.steps = append(h.steps, step{})
	}
	for i, e := range entries {
		v := Version{
			Rev: e.Rev, Hash: e.Hash, ETag: e.ETag, Size: e.Size,
			Time: time.UnixMilli(e.Time).UTC(), Cause: Cause(e.Cause), Leader: e.Leader,
		}
		switch {
		case i+1 == len(entries): // there is none before
		case e.From != entries[i+1].Hash: // or the leader did not know what was in force before
			v.Gap = Unrecorded
		case e.Back.TooLarge:
			v.Gap = TooLarge
		case e.Back.Codec == "":
			v.Gap = Unknown
		}
		h.Versions = append(h.Versions, v)
		h.steps = append(h.steps, step{e.From, e.FromSize, e.Back})
	}
}

// streamID matches the ID of an entry. Names of fields never look like one.
var streamID = regexp.MustCompile(`^[0-9]+-[0-9]+$`)

// entries returns the entries of the stream, the newest first, and the number of malformed ones. more
// reports whether the limits ended it.
func (r reader) entries(ctx context.Context) (entries []wire.HistoryEntry, malformed int, more bool, err error) {
	last, left, count := "+", r.maxBytes, pageEntries
	for len(entries)+malformed < r.maxEntries {
		count = min(count, r.maxEntries-len(entries)-malformed)
		limits := limited.Limits{Value: wire.MaxHistoryValueBytes, Total: max(left, 1)}
		reply := limited.Send(ctx, r.client, limits, "xrevrange", r.keys.History, last, "-", "COUNT", count)
		values, err := reply.Values()
		switch {
		case redis.HasErrorPrefix(err, "WRONGTYPE"):
			return nil, 0, false, nil // the leader begins again
		case errors.Is(err, limited.ErrTotal) && r.cut && count > 1:
			count = 1 // those that fit
			continue
		case errors.Is(err, limited.ErrTotal) && r.cut:
			return entries, malformed, true, nil
		case errors.Is(err, limited.ErrTotal):
			return nil, 0, false, fmt.Errorf("read the history: it has more than %d bytes; delete %s", maxReadBytes, r.keys.History)
		case err != nil:
			return nil, 0, false, fmt.Errorf("read the history: %w", err)
		}
		if len(values) == 0 {
			return entries, malformed, false, nil
		}
		left -= reply.Size()
		text := func(i int) string {
			s, _ := values[i].(string)
			return s
		}
		read := 0
		for i := 0; i < len(values); {
			id, fields := text(i), map[string]string{}
			if !streamID.MatchString(id) {
				return nil, 0, false, errors.New("read the history: unexpected reply of Redis")
			}
			for i++; i+1 < len(values); i += 2 {
				name := text(i)
				if streamID.MatchString(name) {
					break
				}
				fields[name] = text(i + 1)
			}
			last, read = "("+id, read+1
			if e, err := wire.ParseHistoryEntry(id, fields); err == nil {
				entries = append(entries, e)
			} else {
				malformed++
			}
		}
		if read < count {
			return entries, malformed, false, nil
		}
	}
	if r.cut {
		return entries[:min(len(entries), r.maxEntries-1)], malformed, true, nil
	}
	return entries, malformed, false, nil
}

// meta returns the zero Meta if it is malformed.
func (r reader) meta(ctx context.Context) (wire.Meta, error) {
	fields, err := limited.HMGet(ctx, r.client, wire.MaxMetaFieldBytes, r.keys.Meta, wire.MetaFields()...).Values()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return wire.Meta{}, fmt.Errorf("read meta: %w", err)
	}
	meta, err := wire.ParseMeta(fields)
	if err != nil {
		return wire.Meta{}, nil //nolint:nilerr // the leader repairs it
	}
	return meta, nil
}

func (r reader) now(ctx context.Context) (time.Time, error) {
	node, err := redisnode.Primary(ctx, r.client, r.keys.Meta)
	if err != nil {
		return time.Time{}, err
	}
	now, err := node.Time(ctx).Result()
	if redis.IsPermissionError(err) {
		return time.Now().UTC(), nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the clock: %w", err)
	}
	return now.UTC(), nil
}

// content returns the content with that hash from the blob or from the entry, or nil if neither
// has it.
func (r reader) content(ctx context.Context, hash string) ([]byte, error) {
	var blob, entry []byte
	var failed error
	get := func(key string, limit int, into *[]byte) {
		var reader limited.Reader
		reader.Do(ctx, func(get limited.Get) {
			data, err := limited.Bytes(get(r.client, key, limit))
			if failed = nil; err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
				failed = err
			}
			*into = data
		})
	}
	if get(r.keys.Blob, wire.MaxBlobBytes, &blob); failed != nil {
		return nil, fmt.Errorf("read blob: %w", failed)
	}
	if b, err := wire.ParseBlob(blob); err == nil && b.Hash == hash {
		if json, err := b.JSON(); err == nil {
			return json, nil
		}
	}
	if get(r.keys.Entry, cachekeys.MaxEntryBytes, &entry); failed != nil {
		return nil, fmt.Errorf("read entry: %w", failed)
	}
	if e, err := cachekeys.ParseEntry(entry); err == nil && wire.ContentHash(e.JSON) == hash {
		return e.JSON, nil
	}
	return nil, nil
}
