package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// VersionFlag is the whole-number flag whose value is the version of a [Content].
const VersionFlag = "version"

// Content is a config with a usual mix of flags: switches, strings with targeting rules,
// roll-outs by percentage. Every eighth flag compares with hashes, which hardly compress.
// Its versions differ in one value.
type Content struct{ head, tail []byte }

// NewContent returns a config of at least size bytes, and hardly more. The minimum is about
// 200 bytes. The same size gives the same bytes.
func NewContent(size int) Content {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	var tail bytes.Buffer
	tail.WriteString(`},"i":"0a1b2c3d"}`)
	head := []byte(`{"p":{"u":"https://cdn-global.configcat.com","r":0,"s":"4qHXtDMqAd1NjlgvhyYEcdrfxfkmwgfsVKQyWGkCSDM="},"f":{"` +
		VersionFlag + `":{"t":2,"v":{"i":`)
	const room = 12 // for the version and the closing brackets
	for i := 0; len(head)+tail.Len()+room < size; i++ {
		missing := size - len(head) - tail.Len() - room
		writeFlag(&tail, random, i, missing)
	}
	tail.WriteString(`}}`)
	return Content{head, tail.Bytes()}
}

// JSON returns the config JSON of a version, which must not be negative.
func (c Content) JSON(version int64) []byte {
	json := make([]byte, 0, len(c.head)+len(c.tail)+20)
	json = append(json, c.head...)
	json = strconv.AppendInt(json, version, 10)
	return append(json, c.tail...)
}

// ETag returns the ETag of a version.
func (c Content) ETag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

var words = []string{
	"account", "banner", "billing", "cart", "checkout", "dark", "delivery", "discount", "email", "export", "feed", "header",
	"home", "import", "invoice", "login", "menu", "mobile", "new", "order", "page", "payment", "profile", "report",
	"search", "session", "shipping", "sidebar", "signup", "support", "theme", "upload", "video", "wallet", "widget", "wizard",
}

// writeFlag writes a flag of a kind that fits into the missing bytes.
func writeFlag(w *bytes.Buffer, random *rand.Rand, i, missing int) {
	word := func() string { return words[random.IntN(len(words))] }
	id := func() string { return fmt.Sprintf("%08x", random.Uint32()) }
	name := fmt.Sprintf("%s_%s_%d", word(), word(), i)
	kind := i % 8
	if missing < 600 {
		kind = 1
	}
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
	default: // a switch
		fmt.Fprintf(w, `,"%s":{"t":0,"v":{"b":%t},"i":"%s"}`, name, random.IntN(2) == 0, id())
	}
}
