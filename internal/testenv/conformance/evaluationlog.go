package conformance

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// LogSuite is a suite of evaluations with their expected logs.
type LogSuite struct {
	Name       string
	SDKKey     string
	ConfigJSON []byte
	Tests      []LogTest
}

// LogTest is one evaluation of a suite.
type LogTest struct {
	Name     string          // of the file with the expected text
	Key      string          // of the flag
	Default  json.RawMessage // null: none
	Return   json.RawMessage
	User     []Attribute // in the order given; nil: no user
	Expected string      // without line ends at its end
}

// Attribute is one attribute of a user: Identifier, Email and Country are the
// predefined ones.
type Attribute struct{ Name, Value string }

// LogSuites reads all suites of evaluation logs.
func LogSuites(t testing.TB) []LogSuite {
	t.Helper()
	const folder = "evaluationlog"
	var index struct {
		Suites []struct {
			Suite string
			File  string
			Tests int
		}
	}
	readJSON(t, &index, folder, "index.json")
	if len(index.Suites) == 0 {
		t.Fatal("conformance: no evaluation logs")
	}
	var suites []LogSuite
	for _, entry := range index.Suites {
		var file struct {
			Config string
			SDKKey string
			Tests  []struct {
				Key          string
				DefaultValue json.RawMessage
				ReturnValue  json.RawMessage
				ExpectedLog  string
				User         json.RawMessage
			}
		}
		readJSON(t, &file, folder, entry.File)
		if len(file.Tests) != entry.Tests {
			t.Fatalf("conformance: suite %s: %d tests, the index says %d", entry.Suite, len(file.Tests), entry.Tests)
		}
		suite := LogSuite{Name: entry.Suite, SDKKey: file.SDKKey, ConfigJSON: File(t, folder, file.Config)}
		for _, test := range file.Tests {
			suite.Tests = append(suite.Tests, LogTest{
				Name:     test.ExpectedLog,
				Key:      test.Key,
				Default:  test.DefaultValue,
				Return:   test.ReturnValue,
				User:     attributes(t, test.User),
				Expected: strings.TrimRight(string(File(t, folder, entry.Suite, test.ExpectedLog)), "\r\n"),
			})
		}
		suites = append(suites, suite)
	}
	return suites
}

// attributes reads a flat object of strings and keeps the order of its members.
func attributes(t testing.TB, object json.RawMessage) []Attribute {
	t.Helper()
	if len(object) == 0 || string(object) == "null" {
		return nil
	}
	list := []Attribute{}
	dec := json.NewDecoder(bytes.NewReader(object))
	next := func() json.Token {
		token, err := dec.Token()
		if err != nil {
			t.Fatalf("conformance: user object %s: %v", object, err)
		}
		return token
	}
	for next(); dec.More(); {
		name, _ := next().(string)
		value, ok := next().(string)
		if !ok {
			t.Fatalf("conformance: user object %s: %s is not a string", object, name)
		}
		list = append(list, Attribute{name, value})
	}
	return list
}
