package evaluate

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// stackBuffer is the length up to which strings are hashed on the stack. Longer ones use a pooled
// buffer, so that hashing does not allocate.
const stackBuffer = 256

var longBuffers = sync.Pool{New: func() any { return new([]byte) }}

// bucket returns the bucket of a user, 0 to 99: the first 7 hexadecimal digits of sha1(key +
// attribute), modulo 100 (S72).
func bucket(key, attribute string) int64 {
	var sum [sha1.Size]byte
	if len(key)+len(attribute) <= stackBuffer {
		var stack [stackBuffer]byte
		n := copy(stack[:], key)
		n += copy(stack[n:], attribute)
		sum = sha1.Sum(stack[:n])
	} else {
		buffer := longBuffers.Get().(*[]byte)
		*buffer = append(append((*buffer)[:0], key...), attribute...)
		sum = sha1.Sum(*buffer)
		longBuffers.Put(buffer)
	}
	return int64(binary.BigEndian.Uint32(sum[:4])>>4) % 100
}

// saltedHash returns sha256(text + salt) (S36). For the salt, see compiler.saltFor.
func saltedHash(text, salt string) digest {
	if len(text)+len(salt) <= stackBuffer {
		var stack [stackBuffer]byte
		n := copy(stack[:], text)
		n += copy(stack[n:], salt)
		return sha256.Sum256(stack[:n])
	}
	buffer := longBuffers.Get().(*[]byte)
	*buffer = append(append((*buffer)[:0], text...), salt...)
	sum := sha256.Sum256(*buffer)
	longBuffers.Put(buffer)
	return sum
}
