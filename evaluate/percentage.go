package evaluate

// evaluateOptions selects the option whose share of the 100 buckets the user
// falls in (S72). matched is false if there is no user or no attribute.
func (r *run) evaluateOptions(f *frame, options []PercentageOption, out *selection) (matched bool, err *Error) {
	if r.noUser(f) {
		r.log.optionsWithoutUser()
		return false, nil
	}
	s := f.setting
	if s.optionAttributeErr != nil {
		return false, s.optionAttributeErr
	}
	a, err := r.user.attribute(s.optionAttribute)
	if err != nil {
		return false, err
	}
	if a.kind == attributeMissing {
		r.log.optionsWithoutAttribute(s.optionAttribute.name)
		if !f.warnedOptions {
			f.warnedOptions = true
			r.trace.warnOptionAttributeMissing(s.key, s.optionAttribute.name)
		}
		return false, nil
	}
	place := bucket(s.key, a.asText())
	r.log.bucket(s.optionAttribute.name, place)
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
		r.log.option(place, i, o)
		out.served, out.option, out.optionIndex = &o.served, o, i
		return true, nil
	}
	return false, errShares
}
