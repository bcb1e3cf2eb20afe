package evaluate

import (
	"reflect"
	"slices"
	"sync"
)

// StructTag is the tag that names the attribute of a struct field:
//
//	Plan string `configcat:"SubscriptionPlan"`
//
// Without the tag, an exported field is the attribute of its own name. The tag "-" omits the
// field.
const StructTag = "configcat"

// structPlan maps attributes to the fields of a struct type.
type structPlan struct {
	fields map[string][]int
	names  []string // in the order of the log
}

var structPlans sync.Map // reflect.Type → *structPlan

func planFor(t reflect.Type) *structPlan {
	if plan, ok := structPlans.Load(t); ok {
		return plan.(*structPlan)
	}
	plan := &structPlan{fields: make(map[string][]int)}
	for _, field := range reflect.VisibleFields(t) {
		name, tagged := field.Tag.Lookup(StructTag)
		if !field.IsExported() || name == "-" || field.Anonymous && !tagged {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if _, taken := plan.fields[name]; taken {
			continue
		}
		plan.fields[name] = field.Index
		plan.names = append(plan.names, name)
	}
	slices.SortStableFunc(plan.names, func(a, b string) int { return rank(a) - rank(b) })
	stored, _ := structPlans.LoadOrStore(t, plan)
	return stored.(*structPlan)
}
