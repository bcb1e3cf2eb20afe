package settings

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

const uiWithoutTokens = "the address can be reached from other machines, and no token has the right read, explain or control: give one in %s, or listen on 127.0.0.1"

// checkUI checks the settings of the dashboard of a leader, and reads the files with its tokens.
func (l *loader) checkUI() {
	s := l.s
	s.UITokens = l.tokens("ui_token_files", s.uiTokenFiles)
	shows := slices.ContainsFunc(s.UITokens, Token.Shows)
	switch {
	case !s.UI:
		if len(s.uiTokenFiles) > 0 {
			s.Warnings = append(s.Warnings, "ui_token_files are given, but the dashboard is off: set ui")
		}
	case s.Listen == "": // the file may be that of catbridge serve; a leader refuses it
		if !l.tried("listen") {
			s.Warnings = append(s.Warnings, "ui is on, but there is no HTTP server: set listen")
		}
	case len(s.UITokens) > 0 && !shows: // on a loopback address, too: tokens are given to be needed
		l.say(nil, "ui_token_files", "no token has the right read, explain or control")
	case !shows && !isLoopback(s.Listen):
		l.say(nil, "ui", uiWithoutTokens, "ui_token_files")
	case shows && s.UIOpenActions:
		s.Warnings = append(s.Warnings, "ui_open_actions has no effect: there are tokens in ui_token_files, and everybody needs one with the right control")
	}
	if s.UIOpenActions && !s.UI {
		s.Warnings = append(s.Warnings, "ui_open_actions is on, but the dashboard is off: set ui")
	}
}

// checkServeUI checks the settings of the dashboard of catbridge serve.
func (l *loader) checkServeUI() {
	s := l.s
	if slices.ContainsFunc(s.Serve.Tokens, func(t Token) bool { return t.Control }) {
		s.Warnings = append(s.Warnings, "a token in serve.token_files has the right control, which has no effect here: only leaders put flags in force")
	}
	if s.UI && !strings.HasPrefix(s.Serve.Listen, unixPrefix) && !isLoopback(s.Serve.Listen) && s.Serve.clientCAFile == "" &&
		!slices.ContainsFunc(s.Serve.Tokens, Token.Shows) {
		l.say(nil, "ui", uiWithoutTokens, "serve.token_files")
	}
}

// isLoopback reports whether an address to listen on can only be reached from this machine.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
