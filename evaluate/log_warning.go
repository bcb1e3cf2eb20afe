package evaluate

const userObjectHelp = " Read more: https://configcat.com/docs/advanced/user-object/"

func (t *Trace) warnUserMissing(key string) {
	if t == nil {
		return
	}
	t.add(EventUserMissing, "Cannot evaluate targeting rules and % options for setting '"+key+
		"' (User Object is missing). You should pass a User Object to the evaluation methods like `GetValue()`"+
		" in order to make targeting work properly."+userObjectHelp)
}

func (t *Trace) warnAttributeMissing(c *Condition, key string) {
	if t == nil {
		return
	}
	name := c.attribute.name
	t.add(EventAttributeMissing, "Cannot evaluate condition ("+c.String()+") for setting '"+key+
		"' (the User."+name+" attribute is missing). You should set the User."+name+
		" attribute in order to make targeting work properly."+userObjectHelp)
}

func (t *Trace) warnOptionAttributeMissing(key, name string) {
	if t == nil {
		return
	}
	t.add(EventAttributeMissing, "Cannot evaluate % options for setting '"+key+
		"' (the User."+name+" attribute is missing). You should set the User."+name+
		" attribute in order to make targeting work properly."+userObjectHelp)
}

func (t *Trace) warnAttributeInvalid(c *Condition, key, reason string) {
	if t == nil {
		return
	}
	t.add(EventAttributeInvalid, "Cannot evaluate condition ("+c.String()+") for setting '"+key+"' ("+reason+
		"). Please check the User."+c.attribute.name+
		" attribute and make sure that its value corresponds to the comparison operator.")
}

func (t *Trace) warnConverted(c *Condition, key, text string) {
	if t == nil {
		return
	}
	t.add(EventAttributeConverted, "Evaluation of condition ("+c.String()+") for setting '"+key+
		"' may not produce the expected result (the User."+c.attribute.name+
		" attribute is not a string value, thus it was automatically converted to the string value '"+text+
		"'). Please make sure that using a non-string value was intended.")
}

func invalidReason(a *attribute, wanted string) string {
	b := append([]byte(nil), '\'')
	b = a.appendReason(b)
	b = append(b, "' is not a valid "...)
	return string(append(b, wanted...))
}
