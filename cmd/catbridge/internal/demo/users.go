package demo

// user is somebody whom the demo evaluates flags for.
type user struct {
	name       string
	attributes any // as evaluations take them; nil: nobody
}

func demoUsers() []user {
	return []user{
		{"ann", map[string]any{"Identifier": "ann", "Email": "ann@acme.example", "Country": "United Kingdom", "Plan": "pro"}},
		{"ben", map[string]any{"Identifier": "ben", "Email": "ben@example.com", "Country": "Germany", "Plan": "free"}},
		{"nobody", nil},
	}
}
