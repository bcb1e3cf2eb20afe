package terminal

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Style is how text looks on a terminal.
type Style rune

// Styles stand in text as characters that Unicode keeps free for a program's own use,
// from [Paint] to the Output.
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

// codes are the styles' numbers in the terminal's control sequences.
var codes = [...]string{"0", "1", "2", "31", "32", "33", "36"}

// Styled is text that was cleaned and may hold styles: [Sprintf] takes it as it is.
type Styled string

// Paint gives a text of one line a style.
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

// Sprintf is [fmt.Sprintf] for one line: what texts, errors and the like hold is cleaned.
// The format is trusted, and so is what [Paint] and Sprintf itself return.
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
