package evaluate

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"
)

// A shared setting keeps nothing of the document of its time in memory, except its own text.
func TestReparsedConfigsKeepNoFormerDocument(t *testing.T) {
	const flags, edits = 60, 1000
	gone := make([]weak.Pointer[byte], 0, 4*edits) // to all that only former documents contained
	watch := func(text string) weak.Pointer[byte] { return weak.Make(unsafe.StringData(text)) }
	config, err := Parse(editedDocument(0, flags))
	if err != nil {
		t.Fatal(err)
	}
	start := heap()
	for generation := 1; generation <= edits; generation++ {
		data := editedDocument(generation, flags)
		switch { // another head: see split
		case generation%250 == 0:
			data = []byte(strings.Replace(string(data), `"salt"`, fmt.Sprintf(`"salt %d"`, generation), 1))
		case generation%3 == 0:
			data = []byte(strings.Replace(string(data), `{"p"`, fmt.Sprintf(`{"x":%d,"p"`, generation), 1))
		}
		next, err := Reparse(config, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range config.ordered {
			if next.lookup(s.key).text != s.text {
				gone = append(gone, watch(s.text))
			}
		}
		if next.source.document.head != config.source.document.head {
			gone = append(gone, watch(config.source.document.head))
		}
		gone = append(gone, weak.Make(&data[0]))
		config = next
	}
	runtime.GC()
	if len(gone) < 2*edits {
		t.Fatalf("%d edits replaced %d texts", edits, len(gone))
	}
	kept := 0
	for _, p := range gone {
		if p.Value() != nil {
			kept++
		}
	}
	if kept > 0 {
		t.Errorf("%d of %d replaced texts are still in memory", kept, len(gone))
	}
	gone = nil
	if end := heap(); end > start+start/10 {
		t.Errorf("%d bytes in use after %d edits, %d before", end, edits, start)
	}
	runtime.KeepAlive(config)
}

// What is left of a document keeps nothing of a large setting that was removed.
func TestRemovedSettingsLeaveTheMemory(t *testing.T) {
	const size = 4 << 20
	text := strings.Repeat("x", size)
	rule := func(list string) string {
		return `{"t":0,"r":[{"c":[{"u":{"a":"A","c":0,"l":[` + list + `]}}],"s":{"v":{"b":true}}}],"v":{"b":false}}`
	}
	for name, test := range map[string]struct{ large, small string }{
		"a value":                       {`{"t":1,"v":{"s":"` + text + `"}}`, `{"t":0,"v":{"b":true}}`},
		"a list before an empty one":    {rule(`"` + text + `"`), rule("")},
		"a list before one with a text": {rule(`"` + text + `"`), rule(`"x"`)},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			config, err := Parse([]byte(`{"p":{"s":"salt"},"f":{"large":` + test.large + `,"small":` + test.small + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			// Small is at another place then, and at the same place, where it is shared as it is.
			for _, first := range []string{`"other":null,`, ``} {
				if config, err = Reparse(config, []byte(`{"p":{"s":"salt"},"f":{`+first+`"small":`+test.small+`}}`)); err != nil {
					t.Fatal(err)
				}
				if after := heap(); after > before+size/2 {
					t.Errorf("%d bytes more are in use", after-before)
				}
			}
			runtime.KeepAlive(config)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
