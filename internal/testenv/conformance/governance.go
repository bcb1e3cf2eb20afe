package conformance

import "encoding/json"

// GovernanceCase is a case of "data_governance": the base URLs that a client requests in each of
// its calls (S10, S86, S87).
type GovernanceCase struct {
	Annotations
	Title          string
	DataGovernance string // Global or EuOnly
	BaseURL        *string
	Responses      map[string]json.RawMessage // by base URL; all others answer 404
	Calls          [][]string
	HasFlags       []bool // after each call
}
