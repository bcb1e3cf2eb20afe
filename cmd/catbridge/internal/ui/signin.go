package ui

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// signPages adds the pages that start and end sessions. They are the only ones without a
// credential.
func (u *UI) signPages() {
	u.mux.HandleFunc("GET /ui/signin", u.showSignIn)
	u.mux.HandleFunc("POST /ui/signin", u.signIn)
	u.mux.HandleFunc("POST /ui/signout", u.signOut)
}

// signInData is what signin.html shows.
type signInData struct {
	To    string // path of the page afterwards
	Fault string
	Out   bool // a session has just ended
	Plain bool // the browser sends tokens and cookies unencrypted
}

func (u *UI) signInPage(r *http.Request, fault string) *page {
	local := u.config.Open
	return &page{title: "Sign in", template: "signin.html", still: true, data: signInData{
		To: localPath(r.FormValue("to")), Fault: fault, Out: r.FormValue("out") != "", Plain: !local && !u.isSecure(r),
	}}
}

func (u *UI) showSignIn(w http.ResponseWriter, r *http.Request) {
	who, err := u.identify(w, r)
	req := &request{Request: r, ui: u, who: who, now: time.Now()}
	switch {
	case err == nil:
		http.Redirect(w, r, localPath(r.FormValue("to")), http.StatusSeeOther) //nolint:gosec // a local path
	case errors.Is(err, errNoCredential):
		u.render(w, req, u.signInPage(r, ""))
	default:
		u.fail(w, req, err)
	}
}

// signIn starts a session of the token in the form.
func (u *UI) signIn(w http.ResponseWriter, r *http.Request) {
	req := &request{Request: r, ui: u, who: &viewer{key: u.formKey(w, r)}, now: time.Now()}
	if err := u.checkForm(w, r, req.who); err != nil {
		u.fail(w, req, err)
		return
	}
	c, err := u.try(r, strings.TrimSpace(r.PostForm.Get("token")))
	if f, ok := errors.AsType[*failure](err); ok {
		p := u.signInPage(r, f.text)
		p.status = f.status
		f.setHeaders(w.Header())
		u.render(w, req, p)
		return
	}
	u.setCookie(w, r, "", c.newSession(req.now), sessionAge)
	http.Redirect(w, r, localPath(r.PostForm.Get("to")), http.StatusSeeOther) //nolint:gosec // a local path
}

// signOut ends the session of a request, also for those who copied its cookie.
func (u *UI) signOut(w http.ResponseWriter, r *http.Request) {
	who, err := u.identify(w, r)
	if err == nil {
		err = u.checkForm(w, r, who)
	}
	if err != nil && !errors.Is(err, errNoCredential) {
		u.fail(w, &request{Request: r, ui: u, who: who, now: time.Now()}, err)
		return
	}
	if v, id := u.session(r); v != nil {
		u.ended.add(id, time.Now())
		u.streams.Recheck()
	}
	u.setCookie(w, r, "", "", -time.Second)
	http.Redirect(w, r, "/ui/signin?out=1", http.StatusSeeOther)
}
