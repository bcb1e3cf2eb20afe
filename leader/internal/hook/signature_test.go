package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	testKey = "configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88="
	nextKey = "configcat_whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	testID  = "b616ca659d154a5fb907dd8475792eeb"
)

// The test vector of ConfigCat's documentation.
func TestSignaturesMatchConfigCats(t *testing.T) {
	header := http.Header{}
	header.Set(headerID, testID)
	header.Set(headerTimestamp, "1669629035")
	header.Set(headerSignature, "Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA=")
	r, err := Parse(header)
	if err != nil || !r.sent.Equal(time.Unix(1669629035, 0)) {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := r.Verify([]string{testKey}, strings.NewReader("examplebody")); err != nil {
		t.Error(err)
	}
	for _, body := range []string{"", "examplebod", "examplebody ", "Examplebody"} {
		if err := r.Verify([]string{testKey}, strings.NewReader(body)); !errors.Is(err, ErrForged) {
			t.Errorf("body %q: %v", body, err)
		}
	}
	if err := r.Verify([]string{testKey + "x", nextKey}, strings.NewReader("examplebody")); !errors.Is(err, ErrForged) {
		t.Errorf("other keys: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(testID, "1669629035", "Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA=")
	f.Add(testID, "1669629035", "Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA=, Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA=")
	f.Add("", "", ",")
	f.Fuzz(func(t *testing.T, id, timestamp, signatures string) {
		header := http.Header{}
		header.Set(headerID, id)
		header.Set(headerTimestamp, timestamp)
		header.Set(headerSignature, signatures)
		r, err := Parse(header)
		if err != nil {
			return
		}
		// An accepted ID has one form and is valid in a Redis key.
		if r.ID == "" || len(r.ID) > 128 || strings.ContainsFunc(r.ID, func(c rune) bool { return c <= ' ' || c >= 0x7f }) || strconv.FormatInt(r.sent.Unix(), 10) != strings.TrimLeft(timestamp, "0") && r.sent.Unix() != 0 {
			t.Errorf("%q %q gave %+v", id, timestamp, r)
		}
		var again []string
		for _, s := range r.signatures {
			again = append(again, base64.StdEncoding.EncodeToString(s[:]))
		}
		if len(again) == 0 || len(again) > maxSignatures || strings.Join(again, ",") != strings.NewReplacer(" ", "", "\t", "").Replace(signatures) {
			t.Errorf("%q gave %q", signatures, again)
		}
		if r.Verify([]string{testKey}, strings.NewReader("x")) == nil && !strings.Contains(signatures, sign(id+timestamp+"x")) {
			t.Error("a forged signature was accepted")
		}
	})
}

func sign(text string) string {
	mac := hmac.New(sha256.New, []byte(testKey))
	_, _ = io.WriteString(mac, text)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
