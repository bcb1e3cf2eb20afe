package ui

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/catbridge/catbridge/internal/evalcase"
)

// explainForm is the form with which people ask how a flag is evaluated. It keeps what was typed.
type explainForm struct {
	Key string // of the flag

	By                         string // where the user comes from: none, fields or json
	Identifier, Email, Country string
	Rows                       []customRow // those of attributes that the flag uses are the first, see suggest
	JSON                       string

	At, Versus string // references of configs; empty: the one in force, and no second one

	// Faults are what is wrong, by the name of the field.
	Faults map[string]string

	wantsRows bool     // more rows were requested
	used      []string // names of attributes that the flag uses, predefined and custom ones
}

// customRow is a custom attribute in the form.
type customRow struct {
	Number      int // from 1, and again from 1 for those that the flag does not use
	Name, Value string
	Fault       string
	used        bool // the flag uses the attribute
}

// attributeField is the field of an attribute whose name is known.
type attributeField struct {
	ID, Name     string // of the input
	Label        string
	Custom       string // the name of the attribute, if it is a custom one
	Value, Fault string
}

const (
	// maxUserBytes bounds a user: all fields together, or the JSON. Encoded it is up to three times as
	// long, and fits into a form.
	maxUserBytes = 16 << 10
	maxRows      = 50
	// spareRows is how many empty rows the form has.
	spareRows = 2
)

// readExplainForm reads what a form sends. It never fails: Faults says what is wrong.
func readExplainForm(values url.Values) *explainForm {
	f := &explainForm{
		Key: values.Get("flag"), By: values.Get("by"), Identifier: values.Get("identifier"), Email: values.Get("email"), Country: values.Get("country"),
		JSON: values.Get("json"), At: strings.TrimSpace(values.Get("at")), Versus: strings.TrimSpace(values.Get("versus")), Faults: map[string]string{},
	}
	names, given := values["name"], values["value"]
	for i, name := range names {
		row := customRow{Name: name}
		if i < len(given) {
			row.Value = given[i]
		}
		if row.Name != "" || row.Value != "" {
			f.Rows = append(f.Rows, row)
		}
	}
	if len(f.Rows) > maxRows {
		f.Faults["rows"] = fmt.Sprintf("At most %d custom attributes fit here: use JSON.", maxRows)
		f.Rows = f.Rows[:maxRows]
	}
	f.addRows(spareRows)
	return f
}

// addRows adds empty rows.
func (f *explainForm) addRows(n int) {
	for range n {
		f.Rows = append(f.Rows, customRow{})
	}
	numbers := map[bool]int{}
	for i := range f.Rows {
		row := &f.Rows[i]
		numbers[row.used]++
		row.Number = numbers[row.used]
	}
}

// suggest sets which attributes the flag uses: the custom ones have rows of their own, which are the first.
func (f *explainForm) suggest(names []string) {
	f.used = names
	var rows, others []customRow
	given := map[string]customRow{}
	for _, row := range f.Rows {
		switch _, twice := given[row.Name]; {
		case row.Name == "" && row.Value == "":
		case twice || isPredefined(row.Name) || !slices.Contains(names, row.Name):
			others = append(others, row)
		default:
			given[row.Name] = row
		}
	}
	for _, name := range names {
		if row, has := given[name]; has || !isPredefined(name) && len(rows)+len(others) < maxRows {
			rows = append(rows, customRow{Name: name, Value: row.Value, Fault: row.Fault, used: true})
		}
	}
	f.Rows = append(rows, others...)
	f.addRows(spareRows)
}

func isPredefined(name string) bool {
	return name == "Identifier" || name == "Email" || name == "Country"
}

// mainFields is how many attributes besides the identifier the form shows at first.
const mainFields = 2

// Main returns the fields of the common case: the identifier and the first attributes that the flag uses.
func (f *explainForm) Main() []attributeField { main, _ := f.fields(); return main }

// More returns the fields of the other attributes that the flag uses, and of the predefined ones.
func (f *explainForm) More() []attributeField { _, more := f.fields(); return more }

func (f *explainForm) fields() (main, more []attributeField) {
	predefined := func(name, value string) attributeField {
		field := strings.ToLower(name)
		return attributeField{ID: "explain-" + field, Name: field, Label: name, Value: value, Fault: f.Fault(field)}
	}
	main = []attributeField{predefined("Identifier", f.Identifier)}
	add := func(field attributeField) {
		if len(main) <= mainFields {
			main = append(main, field)
		} else {
			more = append(more, field)
		}
	}
	row := 0
	for _, name := range f.used {
		switch {
		case name == "Email":
			add(predefined(name, f.Email))
		case name == "Country":
			add(predefined(name, f.Country))
		case row < len(f.Rows) && f.Rows[row].used && f.Rows[row].Name == name:
			r := &f.Rows[row]
			add(attributeField{ID: fmt.Sprintf("explain-row-%d", r.Number), Name: "value", Label: shown(name), Custom: name, Value: r.Value, Fault: r.Fault})
			row++
		}
	}
	for _, field := range []attributeField{predefined("Email", f.Email), predefined("Country", f.Country)} {
		if !slices.Contains(f.used, field.Label) {
			more = append(more, field)
		}
	}
	return main, more
}

// Others returns the rows for attributes that the flag does not use.
func (f *explainForm) Others() []customRow {
	return f.Rows[slices.IndexFunc(f.Rows, func(row customRow) bool { return !row.used }):] // the last ones are empty
}

// MoreOpen, ElseOpen and ConfigsOpen report whether optional parts of the form contain something.
func (f *explainForm) MoreOpen() bool {
	filled := func(value, fault string) bool { return value != "" || fault != "" }
	return len(f.Rows) > maxRows || slices.ContainsFunc(f.More(), func(field attributeField) bool { return filled(field.Value, field.Fault) }) ||
		slices.ContainsFunc(f.Others(), func(row customRow) bool { return filled(row.Name+row.Value, row.Fault) }) || f.Fault("rows") != "" || f.wantsRows
}

func (f *explainForm) ElseOpen() bool {
	return f.By != "fields" || f.JSON != "" || f.Fault("by") != "" || f.Fault("json") != ""
}

func (f *explainForm) ConfigsOpen() bool { return f.At != "" || f.Versus != "" }

// Fault returns what is wrong with a field, or an empty string.
func (f *explainForm) Fault(field string) string { return f.Faults[field] }

func (f *explainForm) fault(field, format string, args ...any) {
	f.Faults[field] = visible(fmt.Sprintf(format, args...), maxText)
}

// user returns the user for an evaluation; nil is none. ok is false if there are faults.
func (f *explainForm) user() (user any, ok bool) {
	switch f.By {
	case "none":
		return nil, len(f.Faults) == 0
	case "fields":
		if f.noFields() && strings.TrimSpace(f.JSON) != "" {
			f.fault("by", "The fields are empty, and there is JSON: choose “from JSON”, or remove it.")
		}
		user = f.userOfFields()
	case "json":
		user = f.userOfJSON()
	default:
		f.fault("by", "Choose where the user comes from.")
	}
	return user, len(f.Faults) == 0
}

func (f *explainForm) noFields() bool {
	return f.Identifier+f.Email+f.Country == "" && !slices.ContainsFunc(f.Rows, func(row customRow) bool { return row.Value != "" })
}

func (f *explainForm) userOfFields() any {
	size := len(f.Identifier) + len(f.Email) + len(f.Country)
	members := map[string]any{"Identifier": f.Identifier}
	for _, predefined := range []struct{ field, name, value string }{{"identifier", "Identifier", f.Identifier}, {"email", "Email", f.Email}, {"country", "Country", f.Country}} {
		if !utf8.ValidString(predefined.value) {
			f.fault(predefined.field, "This is not valid UTF-8.")
		}
		if predefined.value != "" {
			members[predefined.name] = predefined.value
		}
	}
	custom := map[string]any{}
	for i := range f.Rows {
		row := &f.Rows[i]
		size += len(row.Name) + len(row.Value)
		_, twice := custom[row.Name]
		switch row.Name {
		case "Identifier", "Email", "Country":
			row.Fault = "This attribute has a field of its own above."
		case "":
			if row.Value != "" {
				row.Fault = "Give the attribute a name."
			}
			continue
		}
		switch {
		case twice:
			row.Fault = "Another row has the same name."
		case !utf8.ValidString(row.Name) || !utf8.ValidString(row.Value):
			row.Fault = "This is not valid UTF-8."
		case row.Value != "": // an empty one is not set
			custom[row.Name] = row.Value
		}
	}
	if slices.ContainsFunc(f.Rows, func(row customRow) bool { return row.Fault != "" }) {
		f.fault("rows", "A custom attribute is not valid; see below.")
	}
	if size > maxUserBytes {
		f.fault("by", "The user has %d bytes; at most %d are possible.", size, maxUserBytes)
	}
	members["Custom"] = custom
	user, err := evalcase.User(members)
	if err != nil {
		f.fault("by", "The user is not valid: %v.", err) // strings are always valid
	}
	return user
}

func (f *explainForm) userOfJSON() any {
	switch {
	case strings.TrimSpace(f.JSON) == "":
		f.fault("json", "Write the user as a JSON object, or choose another way.")
		return nil
	case len(f.JSON) > maxUserBytes:
		f.fault("json", "The JSON has %d bytes; at most %d are possible.", len(f.JSON), maxUserBytes)
		return nil
	case !utf8.ValidString(f.JSON):
		f.fault("json", "This is not valid UTF-8.")
		return nil
	}
	user, err := evalcase.ParseUser([]byte(f.JSON))
	if err == nil && user == nil {
		err = errors.New(`null means no user: choose "without a user" instead`)
	}
	if err != nil {
		f.fault("json", "This is not a user: %v.", err)
	}
	return user
}
