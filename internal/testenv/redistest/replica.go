package redistest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Replicate attaches to the process as a replica, and calls saw with all later writes, in
// order and to the byte: the commands that ran at one moment, those of a script without its
// reads, and the offset of the stream after them. It returns when the connection or ctx
// ends. Sentinels take it for a replica with an unknown address.
func (p *Process) Replicate(ctx context.Context, saw func(commands [][]string, offset int64)) error {
	conn, err := p.Dial(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	s := &stream{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
	if err := s.begin(); err != nil {
		return fmt.Errorf("replicate port %d: %w", p.Port, err)
	}

	// A primary drops a replica that is silent for a minute.
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	running.Go(func() {
		for s.acknowledge() == nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	})
	return s.follow(saw)
}

// Offset returns the offset of the stream that the process sends to replicas.
func (p *Process) Offset(ctx context.Context) (int64, error) {
	conn, err := p.Dial(ctx)
	if err != nil {
		return 0, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("INFO replication\r\n")); err != nil {
		return 0, err
	}
	info, err := readValue(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(info), "\r\nmaster_repl_offset:")
	offset, _, _ := strings.Cut(after, "\r\n")
	return strconv.ParseInt(offset, 10, 64)
}

// stream is the replication stream of a primary.
type stream struct {
	conn   net.Conn
	in     *bufio.Reader
	offset int64
}

// begin requests a full synchronization, and skips the copy of the data at its start.
func (s *stream) begin() error {
	// With this the copy needs no file, so that a limit for files does not prevent it.
	if line, err := s.ask("REPLCONF capa eof capa psync2"); err != nil || line != "+OK" {
		return unexpected(err, line)
	}
	line, err := s.ask("PSYNC ? -1")
	words := strings.Fields(line)
	if err != nil || len(words) != 3 || words[0] != "+FULLRESYNC" {
		return unexpected(err, line)
	}
	if s.offset, err = strconv.ParseInt(words[2], 10, 64); err != nil {
		return err
	}
	if line, err = s.line(); err != nil {
		return err
	}
	if mark, ok := strings.CutPrefix(line, "$EOF:"); ok {
		return s.skipTo([]byte(mark))
	}
	size, err := strconv.ParseInt(strings.TrimPrefix(line, "$"), 10, 64)
	if err != nil {
		return unexpected(nil, line)
	}
	_, err = io.CopyN(io.Discard, s.in, size)
	return err
}

func unexpected(err error, line string) error {
	if err != nil {
		return err
	}
	return errors.New("it answers " + strconv.Quote(line))
}

func (s *stream) ask(command string) (string, error) {
	if _, err := s.conn.Write([]byte(command + "\r\n")); err != nil {
		return "", err
	}
	return s.line()
}

// line reads a line, and skips the empty ones by which a primary keeps a replica waiting.
func (s *stream) line() (string, error) {
	for {
		line, err := s.in.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line != "" || err != nil {
			return line, err
		}
	}
}

func (s *stream) skipTo(mark []byte) error {
	var last []byte
	for !bytes.Equal(last, mark) {
		b, err := s.in.ReadByte()
		if err != nil {
			return err
		}
		if last = append(last, b); len(last) > len(mark) {
			last = last[1:]
		}
	}
	return nil
}

func (s *stream) acknowledge() error {
	// The offset does not matter: the primary keeps nothing for a resend.
	_, err := s.conn.Write([]byte("*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n"))
	return err
}

func (s *stream) follow(saw func(commands [][]string, offset int64)) error {
	var within [][]string // a transaction; nil: none
	for {
		value, err := readValue(s.in, nil)
		if err != nil {
			return err
		}
		s.offset += int64(len(value))
		args, err := commandIn(value)
		if err != nil {
			return err
		}
		switch args[0] {
		case "MULTI":
			within = [][]string{}
		case "EXEC":
			saw(within, s.offset)
			within = nil
		case "PING", "REPLCONF", "SELECT":
			if within == nil {
				saw(nil, s.offset)
			}
		default:
			if within == nil {
				saw([][]string{args}, s.offset)
			} else {
				within = append(within, args)
			}
		}
	}
}

// commandIn splits a command; its name is in capitals.
func commandIn(value []byte) ([]string, error) {
	wrong := func() error { return fmt.Errorf("redistest: no command of a stream: %.100q", value) }
	head, rest, _ := bytes.Cut(value, []byte("\r\n"))
	if len(head) == 0 || head[0] != '*' {
		return nil, wrong()
	}
	var args []string
	for len(rest) > 0 {
		head, body, _ := bytes.Cut(rest, []byte("\r\n"))
		size, err := strconv.Atoi(strings.TrimPrefix(string(head), "$"))
		if err != nil || size < 0 || size+2 > len(body) {
			return nil, wrong()
		}
		args = append(args, string(body[:size]))
		rest = body[size+2:]
	}
	if len(args) == 0 {
		return nil, wrong()
	}
	args[0] = strings.ToUpper(args[0])
	return args, nil
}
