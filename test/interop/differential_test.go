package interop

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestDifferential evaluates random cases with this project and with the official SDK. A
// difference that is not in the list of deliberate ones fails, is shrunk, and is printed.
// SEED and N in the environment select other cases and their number.
func TestDifferential(t *testing.T) {
	seed := numberFrom(t, "SEED", 1)
	wanted := int(numberFrom(t, "N", 20_000))
	d := &differential{t: t, oracle: startOracle(t), used: map[string]int{}}
	for number := uint64(0); d.cases < wanted && len(d.unexplained) == 0; number += configsAtOnce {
		d.compare(seed, number, wanted)
	}
	t.Logf("seed %d: %d configs, %d cases", seed, d.configs, d.cases)
	t.Log(d.coverage.String())
	for _, rule := range deliberate {
		t.Logf("deliberate: %d× %s: %s", d.used[rule.name], rule.name, rule.reason)
	}
	t.Logf("unexplained differences: %d", len(d.unexplained))
	printed := map[string]bool{}
	for _, found := range d.unexplained[:min(len(d.unexplained), 5)] {
		if text := d.shrink(&found.difference).String(); !printed[text] {
			printed[text] = true
			t.Errorf("seed %d, config %d: %s", seed, found.number, text)
		}
	}
	if wanted >= 20_000 && !t.Failed() {
		d.coverage.require(t)
	}
}

// TestDeliberateDifferencesAreDocumented checks that the documentation lists them by the
// same names.
func TestDeliberateDifferencesAreDocumented(t *testing.T) {
	page := string(readFile(t, "../../docs/conformance.md"))
	for _, rule := range deliberate {
		if !strings.Contains(page, "| "+rule.name+" |") {
			t.Errorf("docs/conformance.md does not have %s: %s", rule.name, rule.reason)
		}
	}
}

const (
	configsAtOnce  = 100
	casesPerConfig = 10
)

func numberFrom(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("$%s: %q is not a whole number", variable, text)
	}
	return n
}

// differential is a running comparison.
type differential struct {
	t              *testing.T
	oracle         *oracle
	configs, cases int
	coverage       coverage
	used           map[string]int // deliberate differences, by name
	unexplained    []found
}

type found struct {
	number uint64 // of the config
	difference
}

// compare makes some configs with cases and compares the answers of both engines.
func (d *differential) compare(seed, number uint64, wanted int) {
	d.t.Helper()
	var configs []object
	var breakages []*breakage
	var questions []question
	for i := range uint64(configsAtOnce) {
		n := min(casesPerConfig, wanted-d.cases)
		if n == 0 {
			break
		}
		g := newGenerator(seed, number+i)
		config := g.config()
		var b *breakage
		if g.chance(15) {
			b = g.breakage(config)
		}
		configs = append(configs, config)
		breakages = append(breakages, b)
		questions = append(questions, question{Config: configText(config, b, false), Cases: g.cases(n)})
		d.configs++
		d.cases += n
	}
	for i, theirs := range d.oracle.ask(d.t, questions...) {
		ours := answerOurselves(d.t, questions[i])
		for j, evaluation := range questions[i].Cases {
			s := subject{config: configs[i], breakage: breakages[i], evaluation: evaluation}
			s.refused(ours, theirs)
			if theirs.Refused == nil && s.breakage != nil { // the breakage had no effect
				s.config, _ = s.breakage.applied(s.config)
				s.breakage = nil
			}
			d.coverage.note(&s, &ours.Results[j])
			if diff := d.explain(s, ours.Results[j], theirs.Results[j]); diff != nil {
				d.unexplained = append(d.unexplained, found{number + uint64(i), *diff})
			}
		}
	}
}

func (s *subject) refused(ours, theirs answer) {
	if ours.Refused != nil {
		s.refusedByUs = *ours.Refused
	}
	if theirs.Refused != nil {
		s.refusedByThem = *theirs.Refused
	}
}

// explain looks for deliberate differences that make the results equal. It returns nil if
// they are equal.
func (d *differential) explain(s subject, ours, theirs result) *difference {
	d.t.Helper()
	original := theirs
	useOurNames(&ours, &theirs)
	if len(differing(&ours, &theirs)) == 0 {
		return nil
	}
	s.theirCode = theirs.ErrorCode
	asked := s
	var adjusts []func(*subject, *result, *result)
	for _, rule := range deliberate {
		if rule.rewrite != nil {
			rewritten := asked
			if !rule.rewrite(&rewritten) {
				continue
			}
			asked = rewritten
			theirs = d.oracle.ask(d.t, asked.question())[0].Results[0]
			asked.theirCode = theirs.ErrorCode
			useOurNames(&ours, &theirs)
		}
		if rule.adjust != nil {
			adjusts = append(adjusts, rule.adjust)
		}
		for _, adjust := range adjusts {
			adjust(&asked, &ours, &theirs)
		}
		if asked.ownLog {
			theirs.Log = ours.Log
		}
		if len(differing(&ours, &theirs)) == 0 {
			if d.used != nil {
				d.used[rule.name]++
			}
			return nil
		}
	}
	useOurNames(&ours, &original)
	return &difference{subject: s, ours: ours, theirs: original, members: differing(&ours, &original)}
}

// coverage counts the cases by their results, to check the generator.
type coverage struct {
	byCode         map[int]int
	rules, options int
	withoutUser    int
	// matched and passed count rules with a single condition, by its comparator: those that
	// matched, and those that did not, above a rule that matched.
	matched, passed [36]int
}

func (c *coverage) note(s *subject, r *result) {
	if c.byCode == nil {
		c.byCode = map[int]int{}
	}
	c.byCode[r.ErrorCode]++
	if s.evaluation.User == nil {
		c.withoutUser++
	}
	if r.MatchedOption != nil {
		c.options++
	}
	if r.MatchedRule == nil {
		return
	}
	c.rules++
	settings, _ := s.config.(object)["f"].(object)
	for i, rule := range items(settings[s.evaluation.Key], "r") {
		comparator, ok := onlyComparator(rule)
		switch {
		case !ok || i > *r.MatchedRule:
		case i == *r.MatchedRule:
			c.matched[comparator]++
		default:
			c.passed[comparator]++
		}
	}
}

// onlyComparator returns the comparator of a rule whose single condition is on the user.
func onlyComparator(rule any) (int, bool) {
	conditions := items(rule, "c")
	if len(conditions) != 1 {
		return 0, false
	}
	condition, _ := conditions[0].(object)
	user, _ := condition["u"].(object)
	comparator, ok := user["c"].(int)
	return comparator, ok && comparator >= 0 && comparator < 36
}

func (c *coverage) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "error codes %v, %d matched rules, %d matched options, %d without a user\n", c.byCode, c.rules, c.options, c.withoutUser)
	b.WriteString("matched/passed by comparator:")
	for i := range c.matched {
		fmt.Fprintf(&b, " %d:%d/%d", i, c.matched[i], c.passed[i])
	}
	return b.String()
}

// require fails if the cases leave something out.
func (c *coverage) require(t *testing.T) {
	t.Helper()
	for _, code := range []int{0, 1, 2, 1000, 1001} {
		if c.byCode[code] == 0 {
			t.Errorf("no case has error code %d", code)
		}
	}
	for i := range c.matched {
		if c.matched[i] == 0 || c.passed[i] == 0 {
			t.Errorf("comparator %d: %d rules matched and %d did not", i, c.matched[i], c.passed[i])
		}
	}
}
