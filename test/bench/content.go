package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
)

// VersionFlag is the whole-number flag whose value is the version of a [Content].
const VersionFlag = "version"

// Content is a config with a usual mix of flags: switches, strings with targeting rules,
// roll-outs by percentage, a segment. Every eighth flag compares with hashes, which hardly
// compress.
type Content struct {
	head  []byte   // up to the number in the segment
	flags [][]byte // each with the comma before it
}

// An Edit is what differs between two versions of a [Content].
type Edit string

const (
	OneFlag  Edit = "one flag" // the one with the version, which every edit changes
	TenFlags Edit = "ten flags"
	Segment  Edit = "a segment" // an eighth of the flags use it
	Half     Edit = "half of the config"
)

const (
	middle = `.example"]}]}],"f":{"` + VersionFlag + `":{"t":2,"v":{"i":`
	tail   = `},"i":"0a1b2c3d"}`

	firstSegment = 1_000_000 // the number in the segment unless it is edited
)

// NewContent returns a config of at least size bytes, and hardly more. The minimum is about
// 350 bytes. The same size gives the same bytes.
func NewContent(size int) Content {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	c := Content{head: []byte(`{"p":{"u":"https://cdn-global.configcat.com","r":0,"s":"4qHXtDMqAd1NjlgvhyYEcdrfxfkmwgfsVKQyWGkCSDM="},` +
		`"s":[{"n":"Beta testers","r":[{"a":"Email","c":2,"l":["@beta.example","@`)}
	const room = 7 + 7 + 2 // for the number in the segment, a version of 7 digits and the closing brackets
	for length := len(c.head) + len(middle) + len(tail) + room; length < size; {
		var flag bytes.Buffer
		kind := len(c.flags) % 8
		if size-length < 600 {
			kind = 1 // a small one
		}
		writeFlag(&flag, random, len(c.flags), kind)
		c.flags = append(c.flags, flag.Bytes())
		length += flag.Len()
	}
	return c
}

// JSON returns the config JSON of a version, which must not be negative.
func (c Content) JSON(version int64) []byte { return c.Edited(version, OneFlag) }

// Edited is like JSON for versions that differ by an edit.
func (c Content) Edited(version int64, edit Edit) []byte {
	flags := slices.Clone(c.flags)
	switch edit {
	case TenFlags:
		for i := range min(9, len(flags)) {
			at := i * len(flags) / 9
			flags[at] = edited(flags[at], version)
		}
	case Half:
		random := rand.New(rand.NewPCG(2, uint64(version)))
		for i := len(flags) / 2; i < len(flags); i++ {
			var flag bytes.Buffer
			writeFlag(&flag, random, i, i%8)
			flags[i] = flag.Bytes()
		}
	case Segment:
		return c.build(version, version, flags)
	case OneFlag:
	}
	return c.build(version, firstSegment, flags)
}

// After returns the config JSON after a number of edits, each of another flag as long as there
// are some. The version is that number.
func (c Content) After(edits int) []byte {
	flags := slices.Clone(c.flags)
	for i := range min(edits, len(flags)) {
		flags[i] = edited(flags[i], int64(1+(edits-1-i)/len(flags)))
	}
	return c.build(int64(edits), firstSegment, flags)
}

func (c Content) build(version, segment int64, flags [][]byte) []byte {
	json := strconv.AppendInt(bytes.Clone(c.head), segment, 10)
	json = append(json, middle...)
	json = strconv.AppendInt(json, version, 10)
	json = append(json, tail...)
	return append(append(json, bytes.Join(flags, nil)...), `}}`...)
}

// edited returns a flag whose last variation ID is made of a number. All flags end with one.
func edited(flag []byte, number int64) []byte {
	const end = len(`01234567"}`)
	return fmt.Appendf(bytes.Clone(flag[:len(flag)-end]), `%08x"}`, uint32(number)*2654435761)
}

// ETag returns the ETag of a version.
func (c Content) ETag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

var words = []string{
	"account", "banner", "billing", "cart", "checkout", "dark", "delivery", "discount", "email", "export", "feed", "header",
	"home", "import", "invoice", "login", "menu", "mobile", "new", "order", "page", "payment", "profile", "report",
	"search", "session", "shipping", "sidebar", "signup", "support", "theme", "upload", "video", "wallet", "widget", "wizard",
}

// writeFlag writes flag i, of one of 8 kinds.
func writeFlag(w *bytes.Buffer, random *rand.Rand, i, kind int) {
	word := func() string { return words[random.IntN(len(words))] }
	id := func() string { return fmt.Sprintf("%08x", random.Uint32()) }
	name := fmt.Sprintf("%s_%s_%d", word(), word(), i)
	switch kind {
	case 0: // for some users, by hashes
		hash := func() string {
			sum := sha256.Sum256([]byte(name + id()))
			return hex.EncodeToString(sum[:])
		}
		fmt.Fprintf(w, `,"%s":{"t":0,"r":[{"c":[{"u":{"a":"Email","c":16,"l":["%s","%s"]}}],"s":{"v":{"b":true},"i":"%s"}}],"v":{"b":false},"i":"%s"}`,
			name, hash(), hash(), id(), id())
	case 2, 5: // a string by country and version
		fmt.Fprintf(w, `,"%s":{"t":1,"r":[{"c":[{"u":{"a":"Country","c":0,"l":["HU","US","DE"]}},{"u":{"a":"Version","c":9,"s":"%d.%d.0"}}],"s":{"v":{"s":"%s"},"i":"%s"}}],"v":{"s":"%s"},"i":"%s"}`,
			name, random.IntN(9), random.IntN(30), word(), id(), word(), id())
	case 3, 6: // a roll-out
		share := 5 * random.IntN(20)
		fmt.Fprintf(w, `,"%s":{"t":0,"a":"Identifier","p":[{"p":%d,"v":{"b":true},"i":"%s"},{"p":%d,"v":{"b":false},"i":"%s"}],"v":{"b":false},"i":"%s"}`,
			name, share, id(), 100-share, id(), id())
	case 4: // a limit
		fmt.Fprintf(w, `,"%s":{"t":3,"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example.com","@%s.example"]}}],"s":{"v":{"d":%d.5},"i":"%s"}}],"v":{"d":%d.25},"i":"%s"}`,
			name, word(), random.IntN(99), id(), random.IntN(99), id())
	case 7: // for a segment
		fmt.Fprintf(w, `,"%s":{"t":0,"r":[{"c":[{"s":{"s":0,"c":0}}],"s":{"v":{"b":true},"i":"%s"}}],"v":{"b":false},"i":"%s"}`, name, id(), id())
	default: // a switch
		fmt.Fprintf(w, `,"%s":{"t":0,"v":{"b":%t},"i":"%s"}`, name, random.IntN(2) == 0, id())
	}
}
