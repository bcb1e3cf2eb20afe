package ui

import (
	"bytes"
	"crypto/hmac"
	"net/http"
	"time"
)

const (
	maxFlash  = 1000 // bytes
	flashAge  = time.Minute
	flashSign = 16 // bytes of its authenticator
)

// setFlash keeps a text for the next page of the viewer.
func (u *UI) setFlash(w http.ResponseWriter, r *http.Request, who *viewer, text string) {
	data := []byte(text)
	data = bytes.ToValidUTF8(data[:min(maxFlash, len(data))], nil)
	u.setCookie(w, r, flashCookie, sessionText.EncodeToString(append(mac(who.key, "flash", data...)[:flashSign:flashSign], data...)), flashAge)
}

// takeFlash returns the text that was kept for the viewer, once, or "".
func (u *UI) takeFlash(w http.ResponseWriter, r *http.Request, who *viewer) string {
	cookie, err := r.Cookie(u.cookie + flashCookie)
	if err != nil {
		return ""
	}
	u.setCookie(w, r, flashCookie, "", -time.Second)
	return who.flash(cookie.Value)
}

// flash returns the text in the value of a cookie, or "" if it was not kept for this viewer.
func (v *viewer) flash(value string) string {
	data, err := sessionText.DecodeString(value)
	if err != nil || len(data) < flashSign || len(v.key) == 0 {
		return ""
	}
	text := data[flashSign:]
	if !hmac.Equal(data[:flashSign], mac(v.key, "flash", text...)[:flashSign]) {
		return ""
	}
	return string(text)
}
