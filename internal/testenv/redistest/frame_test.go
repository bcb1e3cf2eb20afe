package redistest

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func TestValuesAreSplitWhole(t *testing.T) {
	values := []string{
		"+OK\r\n", "-ERR no\r\n", ":1\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(12\r\n",
		"$-1\r\n", "*-1\r\n", "$0\r\n\r\n", "$7\r\na\r\n$1\r\n\r\n", "=6\r\ntxt:ab\r\n",
		"*0\r\n", "*2\r\n$1\r\na\r\n*1\r\n:1\r\n", ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n\r\n\r\n",
		"%1\r\n+k\r\n~1\r\n+v\r\n", "|1\r\n+k\r\n+v\r\n*1\r\n+x\r\n",
	}
	r := bufio.NewReader(strings.NewReader(strings.Join(values, "")))
	for _, want := range values {
		if have, err := readValue(r, nil); err != nil || string(have) != want {
			t.Errorf("%q, %v, want %q", have, err, want)
		}
	}
	if _, err := readValue(r, nil); err != io.EOF {
		t.Errorf("behind the last: %v", err)
	}
}
