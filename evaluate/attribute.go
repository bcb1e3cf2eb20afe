package evaluate

import (
	"reflect"
	"time"
)

// attribute is the value of a user attribute, classified by what comparators can do with it.
type attribute struct {
	kind   attributeKind
	text   string // the reason if kind is attributeFailed
	number float64
	whole  int64 // exact whole number (a uint64 as its bits), or Unix milliseconds of a time
	list   []string
	other  any // for attributeItems: []any that contains only strings
}

type attributeKind uint8

const (
	attributeMissing attributeKind = iota
	attributeText
	attributeNumber
	attributeInt
	attributeUint
	attributeTime
	attributeList
	attributeItems
	attributeOther
	attributeFailed // the attribute's own method failed; see user.read
)

// set stores a value. For speed, it sets only the fields of the value's kind.
func (a *attribute) set(v any) {
	switch v := v.(type) {
	case nil:
		a.kind = attributeMissing
	case string:
		a.setText(v)
	case float64:
		a.setNumber(v)
	case int:
		a.setInt(int64(v))
	case int64:
		a.setInt(v)
	case time.Time:
		a.setTime(v)
	case []string:
		a.kind, a.list = attributeList, v
	case []byte:
		a.setText(string(v))
	case []any:
		a.setItems(v)
	default:
		a.setReflected(reflect.ValueOf(v))
	}
}

func (a *attribute) setText(s string) { a.kind, a.text = attributeText, s }

func (a *attribute) setTextUnlessEmpty(s string) {
	a.kind, a.text = attributeText, s
	if s == "" {
		a.kind = attributeMissing
	}
}

func (a *attribute) setNumber(f float64) { a.kind, a.number = attributeNumber, f }

func (a *attribute) setInt(i int64) { a.kind, a.number, a.whole = attributeInt, float64(i), i }

func (a *attribute) setUint(u uint64) {
	a.kind, a.number, a.whole = attributeUint, float64(u), int64(u)
}

// setTime stores milliseconds, the resolution of all official SDKs.
func (a *attribute) setTime(t time.Time) {
	ms := t.UnixMilli()
	a.kind, a.number, a.whole = attributeTime, float64(ms)/1000, ms
}

func (a *attribute) setItems(items []any) {
	a.kind, a.other = attributeItems, items
	for _, item := range items {
		if _, ok := item.(string); !ok {
			a.setList(reflect.ValueOf(items))
			return
		}
	}
}

func (a *attribute) setOther(v any) { a.kind, a.other = attributeOther, v }

var (
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[[]byte]()
	textsType = reflect.TypeFor[[]string]()
	itemsType = reflect.TypeFor[[]any]()
)

// maxIndirection bounds how many pointers and interfaces are followed, since they may form a
// cycle.
const maxIndirection = 100

func (a *attribute) setReflected(v reflect.Value) {
	a.kind = attributeMissing
	for range maxIndirection {
		switch {
		case !v.IsValid():
			return
		case v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface:
			if !a.setMeaning(v) {
				a.setByKind(v)
			}
			return
		case v.IsNil() || v.Kind() == reflect.Pointer && a.setMeaning(v):
			return
		}
		v = v.Elem()
	}
}

// setByKind stores a value by the kind of its type, ignoring its methods.
func (a *attribute) setByKind(v reflect.Value) {
	a.kind = attributeMissing
	switch v.Kind() {
	case reflect.String:
		a.setText(v.String())
		return
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		a.setInt(v.Int())
		return
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		a.setUint(v.Uint())
		return
	case reflect.Float32, reflect.Float64:
		a.setNumber(v.Float())
		return
	case reflect.Slice:
		a.setSlice(v)
		return
	case reflect.Struct:
		if v.CanConvert(timeType) {
			a.setTime(v.Convert(timeType).Interface().(time.Time))
			return
		}
	case reflect.Map, reflect.Func, reflect.Chan:
		if v.IsNil() {
			return
		}
	}
	if v.IsValid() && v.CanInterface() {
		a.setOther(v.Interface())
	}
}

func (a *attribute) setSlice(v reflect.Value) {
	switch {
	case v.CanConvert(textsType):
		a.kind, a.list = attributeList, v.Convert(textsType).Interface().([]string)
	case v.CanConvert(bytesType):
		a.set(v.Convert(bytesType).Interface())
	case v.CanConvert(itemsType):
		a.set(v.Convert(itemsType).Interface())
	default:
		a.setList(v)
	}
}

func (a *attribute) isNumber() bool {
	return a.kind == attributeNumber || a.kind == attributeInt || a.kind == attributeUint
}

func (a *attribute) isList() bool { return a.kind == attributeList || a.kind == attributeItems }

func (a *attribute) len() int {
	if a.kind == attributeItems {
		return len(a.other.([]any))
	}
	return len(a.list)
}

func (a *attribute) at(i int) string {
	if a.kind == attributeItems {
		return a.other.([]any)[i].(string)
	}
	return a.list[i]
}

// attributeName is the name of a user attribute. Its id saves comparing names in evaluations.
type attributeName struct {
	name string
	id   attributeID
}

type attributeID uint8

const (
	customAttribute attributeID = iota
	identifierAttribute
	emailAttribute
	countryAttribute
)

func nameAttribute(name string) attributeName {
	switch name {
	case "Identifier":
		return attributeName{name: "Identifier", id: identifierAttribute}
	case "Email":
		return attributeName{name: "Email", id: emailAttribute}
	case "Country":
		return attributeName{name: "Country", id: countryAttribute}
	default:
		return attributeName{name: name}
	}
}
