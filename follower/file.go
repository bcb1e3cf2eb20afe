package follower

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// fileMagic begins every snapshot file. The rest is
//
//	{sha256 of all that follows, hexadecimal}\n{SDK key, namespace and database, see cachekeys.Keys.Scope}\n{rev}\n{fetch time in ms}\n{etag}\n{config JSON}
const fileMagic = "catbridge snapshot 1\n"

// maxFileBytes bounds what is read of a file.
const maxFileBytes = cachekeys.MaxConfigBytes + 16<<10

// encodeFile gives the content of a snapshot file.
func encodeFile(key string, s *snapshot) []byte {
	var body bytes.Buffer
	fmt.Fprintf(&body, "%s\n%d\n%d\n%s\n", key, s.rev, s.fetchTime, cachekeys.StoredETag(s.etag, ""))
	body.Write(s.json)
	sum := sha256.Sum256(body.Bytes())
	return slices.Concat([]byte(fileMagic), []byte(hex.EncodeToString(sum[:])), []byte("\n"), body.Bytes())
}

// decodeFile reads the content of a snapshot file that was written for key.
func decodeFile(key string, data []byte) (*snapshot, error) {
	data, ok := bytes.CutPrefix(data, []byte(fileMagic))
	if !ok {
		return nil, errors.New("it is no snapshot file of this version")
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
		return nil, errors.New("it is of another SDK key, namespace or database")
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
	return &snapshot{
		config: config, rev: rev, hash: cachekeys.ContentHash(json), etag: string(parts[3]), source: SourceFile,
		json: json, fetchTime: fetchTime,
	}, nil
}

func number(text []byte) (int64, error) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 || n > cachekeys.MaxRev {
		return 0, fmt.Errorf("%q is not between 0 and %d", text, int64(cachekeys.MaxRev))
	}
	return n, nil
}

// readFile reads a snapshot file; nil: there is none.
func readFile(path, key string) (*snapshot, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%s: it is longer than %d bytes", path, maxFileBytes)
	}
	s, err := decodeFile(key, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// writeFile replaces a file as a whole: whoever reads it, after a crash too, finds the
// old content or the new one.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // readable to the owner only
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return err
	}
	if d, err := os.Open(dir); err == nil { // the new name survives a power cut, too
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// saver writes each new content to the snapshot file, in a goroutine of its own. Of
// several that come quickly, only the last is written.
type saver struct {
	path   string
	key    string
	log    eventlog.Log
	holder *holder
	saved  *snapshot // what was written last

	wake   chan struct{} // capacity 1: there is new content
	cancel context.CancelFunc
	done   chan struct{}
}

func startSaver(path, key string, log eventlog.Log, holder *holder) *saver {
	ctx, cancel := context.WithCancel(context.Background())
	s := &saver{path: path, key: key, log: log, holder: holder, wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
	return s
}

// changed tells that there is new content. It does not block.
func (s *saver) changed() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *saver) run(ctx context.Context) {
	for {
		select {
		case <-s.wake:
			s.save()
		case <-ctx.Done():
			s.save() // with the rev that it has come to
			return
		}
	}
}

func (s *saver) save() {
	held := s.holder.current.Load()
	if held == nil || held == s.saved || held.source == SourceFile {
		return
	}
	s.saved = held
	if err := writeFile(s.path, encodeFile(s.key, held)); err != nil {
		s.log.Error(eventFileWrite, "The snapshot file could not be written.", eventlog.Err(err))
	}
}

// close writes what is not written yet, and waits for that.
func (s *saver) close() {
	s.cancel()
	<-s.done
}
