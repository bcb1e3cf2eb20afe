package evaluate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads and compiles a config JSON v6. It does not retain data.
//
// It returns a [*ParseError] if the document is too large, is not a JSON object, nests deeper than
// 10,000 levels, lacks "f", or has an "f", "p" or "s" of the wrong kind. Any other error fails
// only the flags that reach it (S77): see [Config.BrokenFlags].
func Parse(data []byte) (*Config, error) {
	if len(data) > MaxConfigBytes {
		return nil, refuse("$", fmt.Sprintf("%d bytes, the limit is %d", len(data), MaxConfigBytes))
	}
	text := validText(data)
	if !isValid(text) {
		return nil, syntaxError(data)
	}
	c := &cursor{text: text}
	if c.kind() != '{' {
		return nil, refuse("$", "an object is expected")
	}
	raw := c.readConfig()
	switch {
	case raw.preferences.state == wrong:
		return nil, refuse("$.p", "an object is expected")
	case raw.segments.state == wrong:
		return nil, refuse("$.s", "an array is expected")
	case raw.settings.state == wrong:
		return nil, refuse("$.f", "an object is expected")
	case raw.settings.state == absent:
		return nil, refuse("$.f", "missing")
	}
	config := compile(&raw)
	config.source = source{text: text}
	return config, nil
}

func refuse(path, reason string) *ParseError {
	return &ParseError{Path: path, Offset: -1, Reason: reason}
}

func syntaxError(data []byte) *ParseError {
	var none struct{}
	err := json.Unmarshal(data, &none)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &ParseError{Path: "$", Offset: syntax.Offset, Reason: syntax.Error()}
	}
	return refuse("$", "invalid JSON")
}

// validText copies the document, replacing each byte that is not valid UTF-8 with U+FFFD.
func validText(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	return string([]rune(string(data)))
}

// compiler converts the parsed document into a Config. It tracks its position in the document for
// the errors that it records.
type compiler struct {
	path     []step
	saltText string
	saltErr  *Error
	segments []segment

	joinedSalt, joinedFor string // the last result of saltFor, and its context
}

type step struct {
	name  string // empty for an element of an array
	index int
}

func compile(raw *rawConfig) *Config {
	c := &compiler{}
	c.compileSalt(&raw.preferences)
	c.compileSegments(raw.segments.value)

	entries := raw.settings.value
	config := &Config{
		settings: make(map[string]*setting, len(entries)),
		keys:     make([]string, 0, len(entries)),
	}
	settings := make([]setting, len(entries))
	c.push("f")
	for i := range entries {
		e := &entries[i]
		s := &settings[i]
		s.key = e.key
		c.push(e.key)
		c.compileSetting(s, &e.setting)
		c.pop()
		if config.settings[e.key] == nil {
			config.keys = append(config.keys, e.key)
		}
		config.settings[e.key] = s
	}
	config.resolve()
	return config
}

func (c *compiler) push(name string)    { c.path = append(c.path, step{name: name}) }
func (c *compiler) pushIndex(index int) { c.path = append(c.path, step{index: index}) }
func (c *compiler) pop()                { c.path = c.path[:len(c.path)-1] }

// fault returns the error of a member that is missing or of the wrong kind.
func (c *compiler) fault(state memberState, names ...string) *Error {
	var b strings.Builder
	b.WriteString("Invalid config JSON content. ")
	if state == absent {
		b.WriteString("Missing required value at $")
	} else {
		b.WriteString("Type mismatch at $")
	}
	for _, s := range c.path {
		if s.name == "" {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		} else {
			b.WriteString("." + s.name)
		}
	}
	for _, name := range names {
		b.WriteString("." + name)
	}
	return modelError(b.String())
}

func (c *compiler) optional(state memberState, names ...string) *Error {
	if state == wrong {
		return c.fault(state, names...)
	}
	return nil
}

func (c *compiler) required(state memberState, names ...string) *Error {
	if state != present {
		return c.fault(state, names...)
	}
	return nil
}

func (c *compiler) compileSalt(preferences *member[rawPreferences]) {
	salt := preferences.value.salt
	c.saltText = salt.value
	switch salt.state {
	case absent:
		c.saltErr = errSalt
	case wrong:
		c.saltErr = c.fault(wrong, "p", "s")
	}
}

func (c *compiler) compileSegments(raw []member[rawSegment]) {
	if len(raw) == 0 {
		return
	}
	c.push("s")
	defer c.pop()
	c.segments = make([]segment, len(raw))
	for i := range raw {
		c.pushIndex(i)
		c.compileSegment(&c.segments[i], &raw[i])
		c.segments[i].broken = c.segments[i].firstError()
		c.pop()
	}
}

func (c *compiler) compileSegment(s *segment, raw *member[rawSegment]) {
	if s.err = c.required(raw.state); s.err != nil {
		return
	}
	s.name = raw.value.name.value
	if s.err = c.required(raw.value.name.state, "n"); s.err != nil {
		return
	}
	if s.name == "" {
		s.err = errSegmentName
		return
	}
	if s.conditionsErr = c.optional(raw.value.conditions.state, "r"); s.conditionsErr != nil {
		return
	}
	s.conditions = make([]Condition, len(raw.value.conditions.value))
	c.push("r")
	defer c.pop()
	for i, condition := range raw.value.conditions.value {
		c.pushIndex(i)
		c.compileUserCondition(&s.conditions[i], condition, s.name)
		c.pop()
	}
}

func (c *compiler) compileSetting(s *setting, raw *member[rawSetting]) {
	if s.err = c.required(raw.state); s.err != nil {
		return
	}
	r := &raw.value
	if s.err = c.required(r.kind.state, "t"); s.err != nil {
		return
	}
	switch r.kind.value {
	case 0:
		s.kind = KindBool
	case 1:
		s.kind = KindString
	case 2:
		s.kind = KindInt
	case 3:
		s.kind = KindFloat
	default:
		s.err = errType
		return
	}
	s.optionAttribute = nameAttribute("Identifier")
	if r.attribute.state == present {
		s.optionAttribute = nameAttribute(r.attribute.value)
	}
	s.optionAttributeErr = c.optional(r.attribute.state, "a")
	c.compileServed(&s.served, &r.served, s.kind)
	s.options, s.optionsErr = c.compileOptions(r.options, s.kind)

	s.rulesErr = c.optional(r.rules.state, "r")
	if len(r.rules.value) == 0 {
		return
	}
	s.rules = make([]TargetingRule, len(r.rules.value))
	c.push("r")
	for i := range r.rules.value {
		c.pushIndex(i)
		c.compileRule(s, &s.rules[i], &r.rules.value[i])
		c.pop()
	}
	c.pop()
}

func (c *compiler) compileRule(s *setting, rule *TargetingRule, raw *member[rawRule]) {
	if rule.err = c.required(raw.state); rule.err != nil {
		return
	}
	r := &raw.value
	c.compileThen(rule, r, s.kind)
	if rule.conditionsErr = c.optional(r.conditions.state, "c"); rule.conditionsErr != nil {
		return
	}
	if len(r.conditions.value) == 0 {
		return
	}
	rule.conditions = make([]Condition, len(r.conditions.value))
	c.push("c")
	for i := range r.conditions.value {
		c.pushIndex(i)
		c.compileCondition(s, &rule.conditions[i], &r.conditions.value[i])
		c.pop()
	}
	c.pop()
}

// compileThen compiles what a rule serves: either a value or percentage options, but not both.
func (c *compiler) compileThen(rule *TargetingRule, raw *rawRule, kind Kind) {
	rule.thenErr = c.optional(raw.served.state, "s")
	if rule.thenErr == nil {
		rule.thenErr = c.optional(raw.options.state, "p")
	}
	if raw.served.state == present {
		c.push("s")
		c.compileServed(&rule.served, &raw.served.value, kind)
		c.pop()
	} else {
		rule.served = served{err: errValue, valueErr: errValue}
	}
	if rule.thenErr != nil {
		return
	}
	switch {
	case raw.served.state == present && raw.options.state == absent:
	case raw.served.state == absent && len(raw.options.value) > 0:
		rule.hasOptions = true
		rule.options, _ = c.compileOptions(raw.options, kind)
	default:
		rule.thenErr = errThen
	}
}

func (c *compiler) compileOptions(raw member[[]member[rawOption]], kind Kind) ([]PercentageOption, *Error) {
	if err := c.optional(raw.state, "p"); err != nil || len(raw.value) == 0 {
		return nil, err
	}
	options := make([]PercentageOption, len(raw.value))
	c.push("p")
	defer c.pop()
	for i := range raw.value {
		o, r := &options[i], &raw.value[i]
		c.pushIndex(i)
		if o.err = c.required(r.state); o.err == nil {
			o.share = r.value.share.value
			o.shareErr = c.required(r.value.share.state, "p")
			if o.shareErr == nil && o.share < 0 {
				o.shareErr = errShare
			}
			c.compileServed(&o.served, &r.value.served, kind)
		}
		c.pop()
	}
	return options, nil
}

func (c *compiler) compileServed(s *served, raw *rawServed, kind Kind) {
	if s.valueErr = c.required(raw.value.state, "v"); s.valueErr == nil {
		s.value, s.valueErr = c.unwrap(&raw.value.value, kind)
	}
	s.variation = raw.variation.value
	s.err = s.valueErr
	if s.err == nil {
		s.err = c.optional(raw.variation.state, "i")
	}
	s.boxed = s.value.Any()
}

// unwrap returns the member of a value that matches the setting's kind.
func (c *compiler) unwrap(raw *rawValue, kind Kind) (Value, *Error) {
	value, state := raw.of(kind)
	switch state {
	case present:
		return value, nil
	case absent:
		return Value{}, errValue
	default:
		return Value{}, c.fault(wrong, "v", valueMember(kind))
	}
}

func (raw *rawValue) of(kind Kind) (Value, memberState) {
	switch kind {
	case KindBool:
		return BoolValue(raw.b.value), raw.b.state
	case KindString:
		return StringValue(raw.s.value), raw.s.state
	case KindInt:
		return IntValue(raw.i.value), raw.i.state
	default:
		return FloatValue(raw.d.value), raw.d.state
	}
}

// infer returns the value that is present, or none unless there is exactly one.
func (raw *rawValue) infer() Value {
	var found Value
	for kind := KindBool; kind <= KindFloat; kind++ {
		value, state := raw.of(kind)
		if state != present {
			continue
		}
		if found.kind != KindNone {
			return Value{}
		}
		found = value
	}
	return found
}

func valueMember(kind Kind) string {
	switch kind {
	case KindBool:
		return "b"
	case KindString:
		return "s"
	case KindInt:
		return "i"
	default:
		return "d"
	}
}
