package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
)

const (
	// maxBody bounds a body, and what a path contains in its place, in bytes.
	maxBody = 64 << 10
	// maxNesting bounds how deeply objects and lists of a body nest.
	maxNesting = 32
	// maxAttributes bounds the attributes of a user.
	maxAttributes = 256
)

var errLargeBody = &failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxBody)}

// readBody reads the body of a request, which must be JSON (G13).
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *failure) {
	if kind := r.Header.Get("Content-Type"); !isJSON(kind) {
		w.Header().Set("Accept-Post", contentType[0])
		return nil, &failure{http.StatusUnsupportedMediaType, "send JSON, with Content-Type: application/json"}
	}
	var in bytes.Buffer
	switch n := r.ContentLength; {
	case n > maxBody: // a server in front of the gateway may have left the body out
		w.Header()["Connection"] = closing
		return nil, errLargeBody
	case n > 0:
		in.Grow(int(n) + bytes.MinRead)
	}
	_, err := in.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		return in.Bytes(), nil
	}
	w.Header()["Connection"] = closing
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errLargeBody
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return nil, &failure{http.StatusRequestTimeout, "the body arrived too slowly"}
	}
	return nil, &failure{http.StatusBadRequest, "failed to read request body"}
}

// isJSON reports whether a content type is JSON, or missing.
func isJSON(kind string) bool {
	if kind == "" || kind == contentType[0] {
		return true
	}
	media, _, err := mime.ParseMediaType(kind)
	return err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}

// parseJSON parses a JSON object of bounded depth. The error says what is wrong and where.
func parseJSON(data []byte, into any) error {
	if at := tooDeep(data); at >= 0 {
		return fmt.Errorf("more than %d objects and lists within each other at byte %d", maxNesting, at)
	}
	err := json.Unmarshal(data, into)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%w at byte %d", err, syntax.Offset)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := "the body"
		if kind.Field != "" {
			what = "'" + kind.Field + "'"
		}
		if number, ok := strings.CutPrefix(kind.Value, "number "); ok {
			return fmt.Errorf("the number %s is beyond the range of numbers, at byte %d", shorten(number), kind.Offset)
		}
		return fmt.Errorf("%s is a JSON %s, not %s, at byte %d", what, kind.Value, wanted(kind), kind.Offset)
	}
	return err
}

func wanted(err *json.UnmarshalTypeError) string {
	switch err.Type.Kind().String() {
	case "string":
		return "a string"
	default:
		return "an object"
	}
}

// tooDeep returns the byte at which data nests too deeply, or -1. It reads invalid JSON, too.
func tooDeep(data []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}
