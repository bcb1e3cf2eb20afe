package evaluate

import "reflect"

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
	userOwn              // UserAttributes
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
	if _, ok := u.given.(UserAttributes); ok {
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
	a.set(u.given.(UserAttributes).GetAttribute(name))
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
