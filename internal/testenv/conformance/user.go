package conformance

// UserFields returns the attributes of a user as the fields of UserData have them.
func UserFields(attributes map[string]any) (identifier, email, country string, custom map[string]any) {
	custom = map[string]any{}
	for name, value := range attributes {
		text, _ := value.(string)
		switch name {
		case "Identifier":
			identifier = text
		case "Email":
			email = text
		case "Country":
			country = text
		default:
			custom[name] = value
		}
	}
	return identifier, email, country, custom
}
