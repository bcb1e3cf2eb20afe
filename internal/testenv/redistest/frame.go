package redistest

import (
	"bufio"
	"fmt"
	"strconv"
)

// readValue reads one RESP value of version 2 or 3, with all that it contains, and appends
// its bytes unchanged.
func readValue(r *bufio.Reader, dst []byte) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	dst = append(dst, line...)
	if err != nil {
		return dst, err
	}
	if len(line) < 3 {
		return dst, fmt.Errorf("redistest: not a RESP value: %q", line)
	}
	count := 0
	switch line[0] {
	case '$', '!', '=', '*', '~', '>', '%', '|':
		if count, err = strconv.Atoi(string(line[1 : len(line)-2])); err != nil {
			return dst, fmt.Errorf("redistest: not a RESP value: %q", line)
		}
	default:
		return dst, nil
	}
	switch line[0] {
	case '$', '!', '=': // bytes; -1: null
		if count < 0 {
			return dst, nil
		}
		body := make([]byte, count+2)
		for n := 0; n < len(body); {
			k, err := r.Read(body[n:])
			if err != nil {
				return dst, err
			}
			n += k
		}
		return append(dst, body...), nil
	case '%':
		count *= 2
	case '|': // attributes, and the value that they belong to
		count = count*2 + 1
	}
	for range count {
		if dst, err = readValue(r, dst); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
