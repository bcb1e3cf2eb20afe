package terminal

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Style is the appearance of text on a terminal.
type Style rune

// Between [Paint] and the Output, styles are characters in the text. Unicode reserves these
// characters for a program's internal use.
const (
	noStyle Style = 0xfdd0 + iota
	Bold
	Faint
	Red
	Green
	Yellow
	Cyan

	lastStyle = Cyan
)

// codes are the styles' numbers in control sequences.
var codes = [...]string{"0", "1", "2", "31", "32", "33", "36"}

// Styled is cleaned text that may contain styles. [Sprintf] does not clean it again.
type Styled string

// Paint cleans text for one line, and returns it in a style.
func Paint(style Style, text string) Styled {
	return Styled(string(rune(style)) + Clean(text) + string(rune(noStyle)))
}

// Plain returns the text without its styles.
func (s Styled) Plain() string {
	return strings.Map(func(r rune) rune {
		if r := Style(r); r >= noStyle && r <= lastStyle {
			return -1
		}
		return r
	}, string(s))
}

// Sprintf is like [fmt.Sprintf] for one line. It cleans strings, errors and Stringers among
// the arguments. It trusts the format, and the results of [Paint] and Sprintf.
func Sprintf(format string, args ...any) Styled {
	cleaned := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case Styled:
			cleaned[i] = string(arg)
		case string:
			cleaned[i] = Clean(arg)
		case []string:
			list := make([]string, len(arg))
			for j, s := range arg {
				list[j] = Clean(s)
			}
			cleaned[i] = list
		case error:
			cleaned[i] = Clean(arg.Error())
		case time.Duration, time.Time:
			cleaned[i] = arg
		case fmt.Stringer:
			cleaned[i] = Clean(arg.String())
		default:
			cleaned[i] = arg
			if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
				cleaned[i] = Clean(v.String())
			}
		}
	}
	return Styled(fmt.Sprintf(format, cleaned...))
}
