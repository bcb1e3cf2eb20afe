package demo

type user struct {
	name       string
	who        string
	attributes any // for evaluations; nil: no user
}

func demoUsers() []user {
	return []user{
		{"ann", "plan pro, United Kingdom, @acme.example", map[string]any{"Identifier": "ann", "Email": "ann@acme.example", "Country": "United Kingdom", "Plan": "pro"}},
		{"ben", "plan free, Germany, @example.com", map[string]any{"Identifier": "ben", "Email": "ben@example.com", "Country": "Germany", "Plan": "free"}},
		{"nobody", "no user is given", nil},
	}
}
