package evaluate

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

type digest [32]byte

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

// parseDigest parses a hash in its only valid form, lower-case hexadecimal. Any other string
// matches no hash.
func parseDigest(text string) (d digest, ok bool) {
	if len(text) != 2*len(d) {
		return d, false
	}
	var bad byte
	for i := range d {
		high, low := hexValues[text[2*i]], hexValues[text[2*i+1]]
		bad |= high | low
		d[i] = high<<4 | low&0xf
	}
	return d, bad&notHex == 0
}

const notHex = 0x80

// hexValues are the values of lower-case hexadecimal digits, and notHex for all other bytes.
var hexValues = func() (values [256]byte) {
	for i := range values {
		values[i] = notHex
	}
	for value, digit := range []byte("0123456789abcdef") {
		values[digit] = byte(value)
	}
	return values
}()
