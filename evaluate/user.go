package evaluate

import (
	"reflect"
	"slices"
	"sync"
)

// UserData is the usual user object. An empty Email or Country counts as not set. The Identifier
// is always set, even if it is empty (S25, S27). It must not be modified during an evaluation.
type UserData struct {
	Identifier string
	Email      string
	Country    string
	// Custom contains further attributes. A predefined attribute takes precedence over a custom
	// one of the same name. A value may be a string or []byte, any number, including those of
	// math/big, a time.Time, or a list of strings. The value of an encoding.TextMarshaler or
	// fmt.Stringer, for example net.IP, *url.URL or time.Duration, is its text (S33). A nil value
	// or pointer and a sql.Null… that is not Valid count as not set.
	Custom map[string]any
}

// Attributes is the interface of the caller's own user types. GetAttribute returns the value of
// the named attribute, or nil if it is not set.
type Attributes interface {
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

// user is the user of one evaluation, in any of the accepted forms (S33).
type user struct {
	kind  userKind
	data  *UserData
	given any
	plan  *structPlan // of a struct
}

type userKind uint8

const (
	userMissing userKind = iota
	userData             // *UserData
	userValue            // UserData
	userAny              // map[string]any
	userStrings          // map[string]string
	userOwn              // Attributes
	userStruct           // struct or pointer to struct
	userMap              // any other map with string keys
)

// resolve treats a nil map or pointer as no user.
func (u *user) resolve(given any) {
	if data, ok := given.(*UserData); ok {
		if data != nil {
			u.kind, u.data, u.given = userData, data, given
		}
		return
	}
	if given == nil {
		return
	}
	u.given = given
	switch v := given.(type) {
	case UserData:
		u.kind = userValue
	case map[string]any:
		if v != nil {
			u.kind = userAny
		}
	case map[string]string:
		if v != nil {
			u.kind = userStrings
		}
	default:
		u.resolveOther()
	}
}

func (u *user) resolveOther() {
	value := reflect.ValueOf(u.given)
	if value.Kind() == reflect.Pointer && value.IsNil() || value.Kind() == reflect.Map && value.IsNil() {
		return
	}
	if _, ok := u.given.(Attributes); ok {
		u.kind = userOwn
		return
	}
	value = reflect.Indirect(value)
	switch {
	case value.Kind() == reflect.Struct:
		u.kind, u.plan = userStruct, planFor(value.Type())
	case value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String && !value.IsNil():
		u.kind = userMap
	}
}

// read reads the user's attribute of that name. It returns an error if the caller's own code
// fails.
func (u *user) read(name *attributeName, a *attribute) *Error {
	switch u.kind {
	case userData:
		u.data.read(name, a)
	case userValue:
		data := u.given.(UserData)
		data.read(name, a)
	case userAny:
		a.set(u.given.(map[string]any)[name.name])
	case userStrings:
		text, ok := u.given.(map[string]string)[name.name]
		a.setText(text)
		if !ok {
			a.kind = attributeMissing
		}
	case userOwn:
		if err := u.readOwn(name.name, a); err != nil {
			return err
		}
	case userStruct:
		u.readStruct(name, a)
	case userMap:
		value := reflect.Indirect(reflect.ValueOf(u.given))
		a.setReflected(value.MapIndex(reflect.ValueOf(name.name).Convert(value.Type().Key())))
	default:
		a.kind = attributeMissing
	}
	if a.kind == attributeFailed {
		return &Error{Code: CodeUnexpected, text: "The User." + name.name + " attribute cannot be read: " + a.text + "."}
	}
	return nil
}

// readOwn calls the caller's code, which may panic.
func (u *user) readOwn(name string, a *attribute) (err *Error) {
	defer func() {
		if recover() != nil {
			err = errUserCodeFailure
		}
	}()
	a.set(u.given.(Attributes).GetAttribute(name))
	return nil
}

func (u *user) readStruct(name *attributeName, a *attribute) {
	a.kind = attributeMissing
	index, ok := u.plan.fields[name.name]
	if !ok {
		return
	}
	field, err := reflect.Indirect(reflect.ValueOf(u.given)).FieldByIndexErr(index)
	if err != nil {
		return // the field's embedded struct is nil
	}
	a.setReflected(field)
	// As in UserData, an empty Email or Country counts as not set.
	if a.kind == attributeText && a.text == "" && (name.id == emailAttribute || name.id == countryAttribute) && field.Kind() == reflect.String {
		a.kind = attributeMissing
	}
}

// structPlan maps attributes to the fields of a struct type.
type structPlan struct {
	fields map[string][]int
	names  []string // in the order of the log
}

// StructTag is the tag that names the attribute of a struct field:
//
//	Plan string `configcat:"SubscriptionPlan"`
//
// Without the tag, an exported field is the attribute of its own name. The tag "-" omits the
// field.
const StructTag = "configcat"

var structPlans sync.Map // reflect.Type → *structPlan

func planFor(t reflect.Type) *structPlan {
	if plan, ok := structPlans.Load(t); ok {
		return plan.(*structPlan)
	}
	plan := &structPlan{fields: make(map[string][]int)}
	for _, field := range reflect.VisibleFields(t) {
		name, tagged := field.Tag.Lookup(StructTag)
		if !field.IsExported() || name == "-" || field.Anonymous && !tagged {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if _, taken := plan.fields[name]; taken {
			continue
		}
		plan.fields[name] = field.Index
		plan.names = append(plan.names, name)
	}
	slices.SortStableFunc(plan.names, func(a, b string) int { return rank(a) - rank(b) })
	stored, _ := structPlans.LoadOrStore(t, plan)
	return stored.(*structPlan)
}

// rank orders the predefined attributes first.
func rank(name string) int {
	switch nameAttribute(name).id {
	case identifierAttribute:
		return 0
	case emailAttribute:
		return 1
	case countryAttribute:
		return 2
	default:
		return customRank
	}
}

const customRank = 3

// appendJSON appends the user as it appears in the evaluation log (S26). Custom attributes of a
// map are sorted by name; those of a struct are in the order of its fields. A user with its own
// GetAttribute shows only the predefined attributes.
func (u *user) appendJSON(b []byte) []byte {
	b = append(b, '{')
	first := len(b)
	for _, name := range u.names() {
		var a attribute
		named := nameAttribute(name)
		if err := u.read(&named, &a); err != nil || a.kind == attributeMissing {
			continue
		}
		if len(b) > first {
			b = append(b, ',')
		}
		b = appendQuoted(b, name)
		b = append(b, ':')
		b = a.appendJSON(b)
	}
	return append(b, '}')
}

func (u *user) names() []string {
	if u.plan != nil {
		return u.plan.names
	}
	var custom []string
	add := func(name string) {
		if rank(name) == customRank {
			custom = append(custom, name)
		}
	}
	switch u.kind {
	case userData:
		for name := range u.data.Custom {
			add(name)
		}
	case userValue:
		for name := range u.given.(UserData).Custom {
			add(name)
		}
	case userAny:
		for name := range u.given.(map[string]any) {
			add(name)
		}
	case userStrings:
		for name := range u.given.(map[string]string) {
			add(name)
		}
	case userMap:
		for _, key := range reflect.Indirect(reflect.ValueOf(u.given)).MapKeys() {
			add(key.String())
		}
	}
	slices.Sort(custom)
	return append([]string{"Identifier", "Email", "Country"}, custom...)
}
