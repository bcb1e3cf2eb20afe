package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// ran is a command that a Redis ran, as in the output of MONITOR, with its arguments
// unparsed. Plain words such as keys, locks and revs are exact. Other arguments may not be,
// since Valkey escapes neither quotes nor backslashes: see [written].
type ran struct {
	at     time.Duration // of Redis's clock, since 1970
	script bool          // whether a script ran it
	args   []string      // the first is the command's name, in capitals
}

// parseRan parses a line such as
//
//	1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
func parseRan(line string) (ran, error) {
	at, rest, ok := strings.Cut(line, " [")
	from, rest, closed := strings.Cut(rest, "] ")
	whole, micro, dot := strings.Cut(at, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	us, err2 := strconv.ParseInt(micro, 10, 64)
	if err := errors.Join(err, err2); err != nil || !ok || !closed || !dot {
		return ran{}, fmt.Errorf("no command of MONITOR: %.100q", line)
	}
	r := ran{at: time.Duration(s)*time.Second + time.Duration(us)*time.Microsecond, script: strings.HasSuffix(from, " lua")}
	rest, opened := strings.CutPrefix(rest, `"`)
	rest, ended := strings.CutSuffix(rest, `"`)
	if !opened || !ended {
		return ran{}, fmt.Errorf("no arguments of MONITOR: %.100q", rest)
	}
	r.args = strings.Split(rest, `" "`)
	r.args[0] = strings.ToUpper(r.args[0])
	return r, nil
}

// monitor calls saw with each line until the connection ends or ctx does.
func monitor(ctx context.Context, server *redistest.Process, saw func(line string)) error {
	conn, err := server.Dial(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil {
		return err
	}
	for lines := bufio.NewReaderSize(conn, 64<<10); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		if line = strings.TrimSpace(line); line != "+OK" {
			saw(strings.TrimPrefix(line, "+"))
		}
	}
}
