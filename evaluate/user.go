package evaluate

// UserData is the usual user object (S25, S27). It must not be modified during an evaluation.
type UserData struct {
	Identifier string // the ID of a user, a session or a device; always set, even if it is empty
	Email      string // empty: not set
	Country    string // empty: not set
	// Custom contains further attributes. A predefined attribute takes precedence over a custom
	// one of the same name. A value may be a string or []byte, any number, including those of
	// math/big, a time.Time, or a list of strings. The value of an encoding.TextMarshaler or
	// fmt.Stringer, for example net.IP, *url.URL or time.Duration, is its text (S33). A nil value
	// or pointer and a sql.Null… that is not Valid count as not set.
	Custom map[string]any
}

// UserAttributes is the interface of the caller's own user types.
type UserAttributes interface {
	// GetAttribute returns the value of the named attribute, or nil if it is not set. The values
	// may be those of UserData.Custom. Evaluations call GetAttribute concurrently; if it panics,
	// they fail with CodeUnexpected.
	GetAttribute(name string) any
}

// GetAttribute returns the named attribute, or nil if it is not set.
func (u *UserData) GetAttribute(name string) any {
	if u == nil {
		return nil
	}
	switch nameAttribute(name).id {
	case identifierAttribute:
		return u.Identifier
	case emailAttribute:
		return nilIfEmpty(u.Email)
	case countryAttribute:
		return nilIfEmpty(u.Country)
	default:
		return u.Custom[name]
	}
}

func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (u *UserData) read(name *attributeName, a *attribute) {
	switch name.id {
	case identifierAttribute:
		a.setText(u.Identifier)
	case emailAttribute:
		a.setTextUnlessEmpty(u.Email)
	case countryAttribute:
		a.setTextUnlessEmpty(u.Country)
	default:
		a.set(u.Custom[name.name])
	}
}
