package evaluate

import "slices"

func (o *operand) hasHash(text string) bool {
	hash := saltedHash(text, o.salt)
	if o.digestSet != nil {
		_, found := o.digestSet[hash]
		return found
	}
	return slices.Contains(o.digests, hash)
}

// hasHashedSlice reports whether one of the hashes is that of the string's first or last bytes.
// Lengths count bytes of UTF-8 (S37).
func (c *Condition) hasHashedSlice(text string) (bool, *Error) {
	o := c.operand
	atStart := c.comparator == hashedTextStartsWithAnyOf || c.comparator == hashedTextNotStartsWithAnyOf
	hashedLength := int64(-1) // the length hashed last: neighbouring items often have the same length
	var hash digest
	for i := range o.slices {
		item := &o.slices[i]
		if item.state == sliceMalformed {
			return false, errComparison
		}
		if item.state == sliceNeverMatches || item.length > int64(len(text)) {
			continue
		}
		if item.length != hashedLength {
			hashedLength = item.length
			slice := text[len(text)-int(item.length):]
			if atStart {
				slice = text[:item.length]
			}
			hash = saltedHash(slice, o.salt)
		}
		if hash == item.digest {
			return true, nil
		}
	}
	return false, nil
}
