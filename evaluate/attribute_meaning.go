package evaluate

import (
	"encoding"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"time"
)

// meaning says how to read the values of a type as attributes (S33).
type meaning struct {
	of        meaningOf
	byPointer bool // the methods are those of a pointer to the type
}

type meaningOf uint8

const (
	meansItsKind  meaningOf = iota // a string is a string, an int is a number, and so on
	meansNumber                    // a number of math/big
	meansNullable                  // a Null type of database/sql
	meansTextMarshaler
	meansStringer
)

var (
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	stringerType      = reflect.TypeFor[fmt.Stringer]()
	bigIntType        = reflect.TypeFor[big.Int]()
	bigFloatType      = reflect.TypeFor[big.Float]()
	bigRatType        = reflect.TypeFor[big.Rat]()
)

var meanings sync.Map // reflect.Type → meaning

func meaningFor(t reflect.Type) meaning {
	if t.PkgPath() == "" && t.Kind() != reflect.Pointer && t.Kind() != reflect.Struct {
		return meaning{} // string, []byte, … have no methods
	}
	if known, ok := meanings.Load(t); ok {
		return known.(meaning)
	}
	m := findMeaning(t)
	meanings.Store(t, m)
	return m
}

func findMeaning(t reflect.Type) meaning {
	if special, ok := specialMeaning(t); ok {
		return meaning{of: special}
	}
	if t.Kind() == reflect.Pointer {
		if _, ok := specialMeaning(t.Elem()); ok {
			return meaning{} // setReflected follows the pointer
		}
	}
	for _, by := range []struct {
		t       reflect.Type
		pointer bool
	}{{t, false}, {reflect.PointerTo(t), true}} {
		switch {
		case by.t.Implements(textMarshalerType):
			return meaning{meansTextMarshaler, by.pointer}
		case by.t.Implements(stringerType):
			return meaning{meansStringer, by.pointer}
		}
	}
	return meaning{}
}

// specialMeaning returns the meaning of types that have text methods but mean something else.
func specialMeaning(t reflect.Type) (of meaningOf, ok bool) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return meansItsKind, true
	case t == bigIntType || t == bigFloatType || t == bigRatType:
		return meansNumber, true
	case t.PkgPath() == "database/sql" && t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Null"):
		return meansNullable, true
	}
	return meansItsKind, false
}

// setMeaning stores a value if its meaning is not meansItsKind, and reports whether it did.
func (a *attribute) setMeaning(v reflect.Value) bool {
	m := meaningFor(v.Type())
	if m.of == meansItsKind || !v.CanInterface() {
		return false
	}
	switch m.of {
	case meansNullable:
		if valid := v.FieldByName("Valid"); valid.IsValid() && valid.Bool() {
			a.setReflected(v.Field(0))
		} else {
			a.kind = attributeMissing
		}
		return true
	case meansNumber:
		a.setBig(pointerTo(v))
		return true
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		if v.IsNil() {
			a.kind = attributeMissing
			return true
		}
	}
	owner := v
	if m.byPointer {
		owner = reflect.ValueOf(pointerTo(v))
	}
	if m.of == meansTextMarshaler {
		a.setMarshaled(owner.Interface().(encoding.TextMarshaler))
	} else {
		a.setStringer(owner.Interface().(fmt.Stringer))
	}
	return true
}

// pointerTo returns a pointer to a value, or to a copy of it if it is not addressable.
func pointerTo(v reflect.Value) any {
	if v.CanAddr() {
		return v.Addr().Interface()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Interface()
}

func (a *attribute) setBig(number any) {
	switch n := number.(type) {
	case *big.Int:
		switch {
		case n.IsInt64():
			a.setInt(n.Int64())
		case n.IsUint64():
			a.setUint(n.Uint64())
		default:
			f, _ := n.Float64()
			a.setNumber(f)
		}
	case *big.Float:
		f, _ := n.Float64()
		a.setNumber(f)
	case *big.Rat:
		f, _ := n.Float64()
		a.setNumber(f)
	}
}

// setMarshaled and setStringer call the caller's code, which may panic.

func (a *attribute) setMarshaled(m encoding.TextMarshaler) {
	defer a.recoverFrom("MarshalText")
	text, err := m.MarshalText()
	if err != nil {
		a.fail("its MarshalText method failed: " + err.Error())
		return
	}
	a.setText(string(text))
}

func (a *attribute) setStringer(s fmt.Stringer) {
	defer a.recoverFrom("String")
	a.setText(s.String())
}

func (a *attribute) recoverFrom(method string) {
	if r := recover(); r != nil {
		a.fail(fmt.Sprintf("its %s method panicked: %v", method, r))
	}
}

// fail marks the attribute as set but unreadable, with the reason.
func (a *attribute) fail(why string) { a.kind, a.text = attributeFailed, why }

// setList stores a slice: as a list if all items can be read as strings, or else as it is.
func (a *attribute) setList(v reflect.Value) {
	elem := v.Type().Elem()
	if v.Len() == 0 && elem.Kind() != reflect.String && meaningFor(elem).of < meansTextMarshaler {
		a.setOther(v.Interface())
		return
	}
	list := make([]string, v.Len())
	for i := range list {
		var item attribute
		switch item.setReflected(v.Index(i)); item.kind {
		case attributeText:
			list[i] = item.text
		case attributeFailed:
			a.fail(item.text)
			return
		default:
			a.setOther(v.Interface())
			return
		}
	}
	a.kind, a.list = attributeList, list
}
