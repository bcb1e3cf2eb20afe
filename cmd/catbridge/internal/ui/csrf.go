package ui

import (
	"crypto/hmac"
	"errors"
	"mime"
	"net/http"
)

// maxForm bounds the body of a form, in bytes.
const maxForm = 64 << 10

var (
	errForm = &failure{status: http.StatusForbidden, text: "The form is out of date, or cookies are off: load the page again, and send the form again."}
	errSite = &failure{status: http.StatusForbidden, text: "The request does not come from a page of this dashboard."}
	errBody = &failure{status: http.StatusBadRequest, text: "The form cannot be read."}
	errType = &failure{status: http.StatusUnsupportedMediaType, text: "The form must be application/x-www-form-urlencoded."}
	errSize = &failure{status: http.StatusRequestEntityTooLarge, text: "The form has more than 64 KB."}
)

// crossOrigin detects requests that browsers send for pages of other origins.
var crossOrigin http.CrossOriginProtection

// checkForm reads the form of a POST, and returns an error unless a page of this dashboard sent it,
// or a program with its own credential.
func (u *UI) checkForm(w http.ResponseWriter, r *http.Request, who *viewer) error {
	if crossOrigin.Check(r) != nil {
		return errSite
	}
	if r.ContentLength > maxForm {
		return errSize
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return errType
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return errSize
		}
		return errBody
	}
	if !who.bearer && !who.sent(r.PostForm.Get("csrf")) {
		return errForm
	}
	return nil
}

// formToken returns the hidden value of the viewer's forms.
func (v *viewer) formToken() string {
	if len(v.key) == 0 {
		return ""
	}
	return sessionText.EncodeToString(mac(v.key, "form"))
}

// sent reports whether a form of the viewer contains a value.
func (v *viewer) sent(token string) bool {
	return len(v.key) > 0 && hmac.Equal([]byte(token), []byte(v.formToken()))
}
