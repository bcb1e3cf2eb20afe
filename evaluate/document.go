package evaluate

// document is the JSON of a config, in parts that later configs may share. What is compiled
// points only into its own part, never into the whole text: a setting that is shared for years
// must not keep the document of its time in memory.
type document struct {
	envelope
	entries []entry
}

// envelope is all of a document except its settings.
type envelope struct {
	head, tail string // the text before and after the content of "f"
	salt       member[string]
	segments   []segment
}

// entry is a setting of the document. Of several with one key, only the last is in Config.settings.
type entry struct {
	gap     string // the text between the previous setting, or head, and this one
	setting *setting
}

func (d *document) size() int {
	n := len(d.head) + len(d.tail)
	for _, e := range d.entries {
		n += len(e.gap) + len(e.setting.text)
	}
	return n
}

// text returns the document, as far as it is valid UTF-8.
func (d *document) text() []byte {
	b := make([]byte, 0, d.size())
	b = append(b, d.head...)
	for _, e := range d.entries {
		b = append(b, e.gap...)
		b = append(b, e.setting.text...)
	}
	return append(b, d.tail...)
}

// equal reports whether two documents, which may be nil, have the same text. Then they have
// equal parts.
func (d *document) equal(other *document) bool {
	if d == nil || other == nil {
		return d == other
	}
	if d.head != other.head || d.tail != other.tail || len(d.entries) != len(other.entries) {
		return false
	}
	for i := range d.entries {
		a, b := &d.entries[i], &other.entries[i]
		if a.gap != b.gap || a.setting != b.setting && a.setting.text != b.setting.text {
			return false
		}
	}
	return true
}
