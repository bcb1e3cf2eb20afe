package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value stores the value of a setting. All sources give strings.
type value interface {
	// check returns an error if the strings are invalid. There is exactly one unless the
	// value is a list. The error quotes only strings that cannot be secrets.
	check(texts []string) error
	set(texts []string) // which check accepted
	texts() []string
	kind() string // for help
	list() bool
	path() bool // the value is a path, or a list of paths
	zero() bool
}

type field[T any] struct {
	dst    *T
	parse  func(string) (T, error)
	format func(T) string
	name   string
	isPath bool
}

func (f *field[T]) kind() string { return f.name }
func (f *field[T]) list() bool   { return false }
func (f *field[T]) path() bool   { return f.isPath }

func (f *field[T]) check(texts []string) error {
	_, err := f.parse(texts[0])
	return err
}

func (f *field[T]) set(texts []string) { *f.dst, _ = f.parse(texts[0]) }
func (f *field[T]) texts() []string    { return []string{f.format(*f.dst)} }
func (f *field[T]) zero() bool         { return f.format(*f.dst) == f.format(*new(T)) }

func text(dst *string) value {
	return &field[string]{dst, func(s string) (string, error) { return s, plain(s) }, func(s string) string { return s }, "string", false}
}

func file(dst *string) value {
	return &field[string]{dst, func(s string) (string, error) { return s, plain(s) }, func(s string) string { return s }, "path", true}
}

func duration(dst *time.Duration) value {
	return &field[time.Duration]{dst, func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			return 0, fmt.Errorf("%s is not a duration: write it like 1500ms, 10s or 2m", quote(s))
		case d <= 0:
			return 0, fmt.Errorf("%v is not above zero", d)
		}
		return d, nil
	}, time.Duration.String, "duration", false}
}

func integer[T int | int64](dst *T) value {
	return &field[T]{dst, func(s string) (T, error) {
		n, err := strconv.ParseInt(s, 10, 63)
		switch {
		case err != nil || int64(T(n)) != n:
			return 0, fmt.Errorf("%s is not a whole number", quote(s))
		case n < 0:
			return 0, fmt.Errorf("%d is negative", n)
		}
		return T(n), nil
	}, func(n T) string { return strconv.FormatInt(int64(n), 10) }, "int", false}
}

func ratio(dst *float64) value {
	return &field[float64]{dst, func(s string) (float64, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return 0, fmt.Errorf("%s is not a number between 0 and 1", quote(s))
		}
		return f, nil
	}, func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }, "float", false}
}

func boolean(dst *bool) value {
	return &field[bool]{dst, func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, fmt.Errorf("%s is neither true nor false", quote(s))
		}
		return s == "true", nil
	}, strconv.FormatBool, "bool", false}
}

type choices struct {
	value
	words []string
}

func choice(dst *string, words ...string) value {
	return &choices{&field[string]{dst, func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("%s is not one of %s", quote(s), strings.Join(words, ", "))
		}
		return s, nil
	}, func(s string) string { return s }, strings.Join(words, "|"), false}, words}
}

type stringList struct {
	dst    *[]string
	isPath bool
}

func listOf(dst *[]string) value { return &stringList{dst, false} }
func files(dst *[]string) value  { return &stringList{dst, true} }

func (l *stringList) kind() string        { return "list" }
func (l *stringList) list() bool          { return true }
func (l *stringList) path() bool          { return l.isPath }
func (l *stringList) set(values []string) { *l.dst = slices.Clone(values) }
func (l *stringList) texts() []string     { return *l.dst }
func (l *stringList) zero() bool          { return len(*l.dst) == 0 }

func (l *stringList) check(values []string) error {
	for _, v := range values {
		if v == "" {
			return errors.New("it is empty, or contains an empty string")
		}
		if err := plain(v); err != nil {
			return err
		}
	}
	return nil
}

// plain rejects control characters, which would break logs and headers.
func plain(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("it contains a control character: remove it")
	}
	return nil
}

// quote quotes a string that cannot be a secret, and replaces any other.
func quote(s string) string {
	const most = 24
	for _, r := range s {
		if len(s) > most || (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._:+-", r) {
			return "the value"
		}
	}
	return strconv.Quote(s)
}
