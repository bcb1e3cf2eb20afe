package follower

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/regularfile"
	"github.com/catbridge/catbridge/internal/wire"
)

// fileMagic is the start of every snapshot file. The rest is
//
//	{sha256 of all that follows, hexadecimal}\n{SDK key, namespace and database, see cachekeys.Keys.Scope}\n{rev}\n{fetch time in ms}\n{etag}\n{config JSON}
const fileMagic = "catbridge snapshot 1\n"

// maxFileBytes bounds what is read of a file.
const maxFileBytes = wire.MaxConfigBytes + 16<<10

func encodeFile(key string, s *snapshot.Snapshot) []byte {
	var body bytes.Buffer
	fmt.Fprintf(&body, "%s\n%d\n%d\n%s\n", key, s.Rev, s.FetchTime, wire.StoredETag(s.ETag, ""))
	body.Write(s.JSON)
	sum := sha256.Sum256(body.Bytes())
	return slices.Concat([]byte(fileMagic), []byte(hex.EncodeToString(sum[:])), []byte("\n"), body.Bytes())
}

// decodeFile refuses a file that was not written for key.
func decodeFile(key string, data []byte) (*snapshot.Snapshot, error) {
	data, ok := bytes.CutPrefix(data, []byte(fileMagic))
	if !ok {
		return nil, errors.New("not a snapshot file of this version")
	}
	sum, body, ok := bytes.Cut(data, []byte("\n"))
	if want := sha256.Sum256(body); !ok || string(sum) != hex.EncodeToString(want[:]) {
		return nil, errors.New("its checksum is wrong")
	}
	parts := bytes.SplitN(body, []byte("\n"), 5)
	if len(parts) < 5 {
		return nil, errors.New("it has too few lines")
	}
	if string(parts[0]) != key {
		return nil, errors.New("it belongs to another SDK key, namespace or database")
	}
	rev, err := number(parts[1])
	if err != nil {
		return nil, fmt.Errorf("its rev: %w", err)
	}
	fetchTime, err := number(parts[2])
	if err != nil {
		return nil, fmt.Errorf("its fetch time: %w", err)
	}
	json := parts[4]
	config, err := evaluate.Parse(json)
	if err != nil {
		return nil, fmt.Errorf("its config: %w", err)
	}
	return &snapshot.Snapshot{
		Config: config, Rev: rev, Hash: wire.ContentHash(json), ETag: string(parts[3]), Source: snapshot.SourceFile,
		JSON: json, FetchTime: fetchTime,
	}, nil
}

func number(text []byte) (int64, error) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 || n > wire.MaxRev {
		return 0, fmt.Errorf("%q is not between 0 and %d", text, wire.MaxRev)
	}
	return n, nil
}

// readFile returns nil if the file does not exist.
func readFile(path, key string) (*snapshot.Snapshot, error) {
	data, err := regularfile.Read(path, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := decodeFile(key, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// saveRetry is the pause after a failed write of the snapshot file.
const saveRetry = 5 * time.Second

// saver writes new content to the snapshot file in its own goroutine: of several changes during
// a write only the last.
type saver struct {
	path   string
	key    string
	log    eventlog.Log
	holder *snapshot.Holder

	saved   *snapshot.Snapshot // the snapshot that was written last
	failure string             // the logged error of the last write; empty: it succeeded

	wake   chan struct{} // capacity 1: there is new content
	cancel context.CancelFunc
	done   chan struct{}
}

func startSaver(path, key string, log eventlog.Log, holder *snapshot.Holder) *saver {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute // the working directory may change
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &saver{path: path, key: key, log: log, holder: holder, wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
	return s
}

// changed does not block.
func (s *saver) changed() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *saver) run(ctx context.Context) {
	again := time.NewTimer(saveRetry)
	defer again.Stop()
	for {
		select {
		case <-s.wake:
		case <-again.C:
		case <-ctx.Done():
			s.save() // the rev may have risen since the last write
			return
		}
		again.Stop()
		if !s.save() {
			again.Reset(saveRetry)
		}
	}
}

// save reports whether nothing remains to be written.
func (s *saver) save() bool {
	held := s.holder.Current()
	if held == nil || held == s.saved || held.Source == snapshot.SourceFile {
		return true
	}
	if err := regularfile.Write(s.path, encodeFile(s.key, held)); err != nil {
		s.failed(err)
		return false
	}
	s.saved, s.failure = held, ""
	return true
}

// failed logs a new reason why the file cannot be written.
func (s *saver) failed(err error) {
	if err.Error() == s.failure {
		return
	}
	s.failure = err.Error()
	s.log.Error(eventid.FileWrite, "The snapshot file could not be written; retrying.", eventlog.Err(err))
}

// close writes what is not written yet.
func (s *saver) close() {
	s.cancel()
	<-s.done
}
