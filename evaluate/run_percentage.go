package evaluate

// evaluateOptions selects the option whose share of the 100 buckets contains the user's bucket
// (S72). matched is false if there is no user or no attribute.
func (r *run) evaluateOptions(t *Trace, options []PercentageOption, out *selection) (matched bool, err *Error) {
	if r.noUser(t) {
		t.log().optionsWithoutUser()
		return false, nil
	}
	s := r.setting
	if s.optionAttributeErr != nil {
		return false, s.optionAttributeErr
	}
	a := &r.attribute
	if err := r.user.read(&s.optionAttribute, a); err != nil {
		return false, err
	}
	if a.kind == attributeMissing {
		t.log().optionsWithoutAttribute(s.optionAttribute.name)
		if !r.warnedOptions {
			r.warnedOptions = true
			t.warnOptionAttributeMissing(s.key, s.optionAttribute.name)
		}
		return false, nil
	}
	place := bucket(s.key, a.asText())
	t.log().bucket(s.optionAttribute.name, place)
	var sum int64
	for i := range options {
		o := &options[i]
		if o.err != nil {
			return false, o.err
		}
		if o.shareErr != nil {
			return false, o.shareErr
		}
		sum += o.share
		if place >= sum {
			continue
		}
		t.log().option(place, i, o)
		out.served, out.option, out.optionIndex = &o.served, o, i
		return true, nil
	}
	return false, errShares
}
