package evaluate

import (
	"reflect"
	"slices"
	"sync"
)

// UserData is the usual user object. An empty Email or Country counts as not
// set; the Identifier is always set, be it empty (S25, S27). It must not change
// while it is evaluated for.
type UserData struct {
	Identifier string
	Email      string
	Country    string
	// Custom holds further attributes; nil values count as not set. A predefined
	// attribute wins over a custom one of the same name.
	Custom map[string]any
}

// Attributes is what an own user type implements to be evaluated for: the value
// of the attribute of that name, nil if it is not set.
type Attributes interface {
	GetAttribute(name string) any
}

// GetAttribute is the attribute of that name, nil if it is not set.
func (u *UserData) GetAttribute(name string) any {
	if u == nil {
		return nil
	}
	switch a := u.attribute(nameAttribute(name)); a.kind {
	case attributeMissing:
		return nil
	case attributeText:
		return a.text
	default:
		return u.Custom[name]
	}
}

func (u *UserData) attribute(name attributeName) attribute {
	switch name.id {
	case identifierAttribute:
		return attribute{kind: attributeText, text: u.Identifier}
	case emailAttribute:
		return textUnlessEmpty(u.Email)
	case countryAttribute:
		return textUnlessEmpty(u.Country)
	default:
		return attributeOf(u.Custom[name.name])
	}
}

func textUnlessEmpty(s string) attribute {
	if s == "" {
		return attribute{}
	}
	return attribute{kind: attributeText, text: s}
}

// user is the user of one evaluation, whatever it was given as (S33).
type user struct {
	kind   userKind
	data   *UserData
	copied UserData // the user when it was given as a value
	texts  map[string]string
	any    map[string]any
	own    Attributes
	plan   *structPlan
	value  reflect.Value
}

type userKind uint8

const (
	userUnresolved userKind = iota
	userMissing
	userData
	userValue
	userTexts
	userAny
	userOwn
	userStruct
)

// resolve finds out what kind of user this is. A nil map or pointer is no user.
func (u *user) resolve(given any) {
	u.kind = userMissing
	switch v := given.(type) {
	case nil:
	case *UserData:
		if v != nil {
			u.kind, u.data = userData, v
		}
	case UserData:
		u.kind, u.copied = userValue, v
	case map[string]any:
		if v != nil {
			u.kind, u.any = userAny, v
		}
	case map[string]string:
		if v != nil {
			u.kind, u.texts = userTexts, v
		}
	default:
		u.resolveOther(given)
	}
}

func (u *user) resolveOther(given any) {
	value := reflect.ValueOf(given)
	if value.Kind() == reflect.Pointer && value.IsNil() {
		return
	}
	if own, ok := given.(Attributes); ok {
		u.kind, u.own = userOwn, own
		return
	}
	switch {
	case value.Kind() == reflect.Pointer && value.Elem().Kind() == reflect.Struct:
		u.kind, u.value = userStruct, value.Elem()
		u.plan = planFor(u.value.Type())
	case value.Kind() == reflect.Struct:
		u.kind, u.value = userStruct, value
		u.plan = planFor(value.Type())
	case value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String && !value.IsNil():
		u.kind, u.value = userStruct, value
	}
}

// attribute is the user's attribute of that name. An error means that the
// user's own code failed.
func (u *user) attribute(name attributeName) (attribute, *Error) {
	switch u.kind {
	case userData:
		return u.data.attribute(name), nil
	case userValue:
		return u.copied.attribute(name), nil
	case userAny:
		return attributeOf(u.any[name.name]), nil
	case userTexts:
		text, ok := u.texts[name.name]
		if !ok {
			return attribute{}, nil
		}
		return attribute{kind: attributeText, text: text}, nil
	case userOwn:
		return u.ownAttribute(name.name)
	case userStruct:
		return u.structAttribute(name.name), nil
	default:
		return attribute{}, nil
	}
}

// ownAttribute calls code that is not ours, which may panic.
func (u *user) ownAttribute(name string) (a attribute, err *Error) {
	defer func() {
		if recover() != nil {
			err = errUserCodeFailure
		}
	}()
	return attributeOf(u.own.GetAttribute(name)), nil
}

func (u *user) structAttribute(name string) attribute {
	if u.plan == nil {
		value := u.value.MapIndex(reflect.ValueOf(name).Convert(u.value.Type().Key()))
		if !value.IsValid() {
			return attribute{}
		}
		return attributeOfReflected(value)
	}
	if field, ok := u.plan.fields[name]; ok {
		value, err := u.value.FieldByIndexErr(field)
		if err != nil {
			return attribute{}
		}
		if value.Kind() == reflect.String && value.Len() == 0 && u.plan.emptyIsUnset(name) {
			return attribute{}
		}
		return attributeOfReflected(value)
	}
	return attribute{}
}

// structPlan says which field of a struct type holds which attribute.
type structPlan struct {
	fields map[string][]int
	names  []string // in the order of the log
}

// StructTag names the attribute that a struct field holds:
//
//	Plan string `configcat:"SubscriptionPlan"`
//
// Without it an exported field holds the attribute of its own name; "-" leaves
// the field out.
const StructTag = "configcat"

// structPlans remembers the plan of each type, which never changes.
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

// emptyIsUnset holds for the two predefined texts that UserData leaves unset
// when they are empty.
func (p *structPlan) emptyIsUnset(name string) bool { return name == "Email" || name == "Country" }

// rank sorts the predefined attributes first.
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

// appendJSON writes the user as the evaluation log shows it (S26). Custom
// attributes of a map come sorted by name, those of a struct in its order. Of a
// type with its own GetAttribute only the predefined attributes are known.
func (u *user) appendJSON(b []byte) []byte {
	b = append(b, '{')
	first := len(b)
	for _, name := range u.names() {
		a, err := u.attribute(nameAttribute(name))
		if err != nil || a.kind == attributeMissing {
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
		for name := range u.copied.Custom {
			add(name)
		}
	case userAny:
		for name := range u.any {
			add(name)
		}
	case userTexts:
		for name := range u.texts {
			add(name)
		}
	case userStruct:
		for _, key := range u.value.MapKeys() {
			add(key.String())
		}
	}
	slices.Sort(custom)
	return append([]string{"Identifier", "Email", "Country"}, custom...)
}
