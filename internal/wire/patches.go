package wire

import (
	"bytes"
	"slices"
	"strings"
)

const (
	// MaxPatches is the greatest number of steps that [Patches] have.
	MaxPatches = 8
	// MaxPatchesBytes is the greatest size of stored [Patches].
	MaxPatchesBytes = 64 << 10
)

// PatchStep is how the content that replaced other content differs from it.
type PatchStep struct {
	From  string // of the content that was replaced, see [ShortHash]
	To    string // hash of the content that replaced it
	Rev   int64  // that this content got first
	Len   int    // of its config JSON, in bytes
	Patch []byte // see package patch; shares memory with the parsed input
}

// Patches are the last changes of the content, the newest last. A follower that comes back with
// earlier content reads them instead of the blob:
//
//	{from} {to} {rev} {length} {bytes of the patch}\n{patch}
//
// for each step, without anything between them.
type Patches []PatchStep

// ParsePatches reads stored patches. It does not examine the patches themselves. Empty input has
// none. All errors are [*ParseError].
func ParsePatches(data []byte) (Patches, error) {
	if len(data) > MaxPatchesBytes {
		return nil, malformed("patches", "", "over the size limit")
	}
	var steps Patches
	for len(data) > 0 {
		if len(steps) == MaxPatches {
			return nil, malformed("patches", "", "too many steps")
		}
		line, rest, ok := bytes.Cut(data, []byte{'\n'})
		fields := bytes.Split(line[:min(len(line), maxPatchLineBytes+1)], []byte{' '})
		if !ok || len(fields) != 5 {
			return nil, malformed("patches", "head", "want five fields, have "+Excerpt(line))
		}
		rev, okRev := ParseNumber(fields[2])
		length, okLen := ParseNumber(fields[3])
		size, okSize := ParseNumber(fields[4])
		switch {
		case !validShortHash(fields[0]) || !validHash(fields[1]):
			return nil, malformed("patches", "head", "not hashes: "+Excerpt(line))
		case !okRev || !ValidRev(rev):
			return nil, malformed("patches", "rev", "bad value "+Excerpt(fields[2]))
		case !okLen || length < 1 || length > MaxConfigBytes:
			return nil, malformed("patches", "length", "bad value "+Excerpt(fields[3]))
		case !okSize || size > int64(len(rest)):
			return nil, malformed("patches", "bytes", "bad value "+Excerpt(fields[4]))
		}
		steps = append(steps, PatchStep{string(fields[0]), string(fields[1]), rev, int(length), rest[:size:size]})
		data = rest[size:]
	}
	return steps, nil
}

const maxPatchLineBytes = shortHashBytes + hashBytes + 3*MaxDigits + 4

// Append appends the patches in their stored form.
func (p Patches) Append(dst []byte) []byte {
	for _, step := range p {
		dst = append(dst, step.Head()...)
		dst = AppendNumber(dst, step.Rev)
		dst = append(dst, step.Tail()...)
	}
	return dst
}

// Head returns the stored form of the step before its rev, which the leader's scripts write.
func (s PatchStep) Head() string { return s.From + " " + s.To + " " }

// Tail returns the stored form of the step after its rev.
func (s PatchStep) Tail() []byte {
	dst := AppendNumber([]byte{' '}, int64(s.Len))
	dst = append(dst, ' ')
	dst = AppendNumber(dst, int64(len(s.Patch)))
	dst = append(dst, '\n')
	return append(dst, s.Patch...)
}

// size is the greatest size of the step's stored form.
func (s PatchStep) size() int { return maxPatchLineBytes + 1 + len(s.Patch) }

// Size returns the greatest size of the stored form.
func (p Patches) Size() int {
	size := 0
	for _, step := range p {
		size += step.size()
	}
	return size
}

// With returns the patches with one more step, and without the oldest steps that would exceed the
// limits. It has none if the step alone exceeds them.
func (p Patches) With(next PatchStep) Patches {
	all := append(slices.Clone(p), next)
	for len(all) > MaxPatches || all.Size() > MaxPatchesBytes {
		all = all[1:]
	}
	return all
}

// To returns the hash of the content that the newest step makes; empty: there is no step.
func (p Patches) To() string {
	if len(p) == 0 {
		return ""
	}
	return p[len(p)-1].To
}

// Chain returns the steps that lead from the content with the hash from to the content with the
// hash to, which must be the newest. It returns nil if there are none. It prefers the shortest
// chain: content may have come back.
func (p Patches) Chain(from, to string) Patches {
	if p.To() != to {
		return nil
	}
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].From == ShortHash(from) {
			return p[i:]
		}
		if i > 0 && !strings.HasPrefix(p[i-1].To, p[i].From) {
			return nil // a hole
		}
	}
	return nil
}
