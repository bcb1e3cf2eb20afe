package main

// explaining are mutants of how the dashboard shows flags and explains evaluations.
var explaining = []mutant{
	{
		"everybody who may look may explain", "S101", []edit{{"cmd/catbridge/internal/ui", `rightRead|rightExplain, u.explainPage`, `rightRead, u.explainPage`}},
		test{"cmd/catbridge/internal/ui", "^TestExplainNeedsItsRight$"},
	},
	{
		"a page shows characters that change the direction of text", "S101", []edit{{"cmd/catbridge/internal/ui", `	return terminal.Clean(text)
`, `	return text
`}},
		test{"cmd/catbridge/internal/ui", "^TestHostileNamesAndValuesAreText$"},
	},
	{
		"a known config of the history is read again", "S101", []edit{{"cmd/catbridge/internal/ui", `	p.keep(found)
`, ``}},
		test{"cmd/catbridge/internal/ui", "^TestAFlagIsExplainedInConfigsOfTheHistory$"},
	},
}
