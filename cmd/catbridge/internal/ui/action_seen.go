package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/leader/control"
)

// seen identifies all that a preview showed, so that its confirmation carries out exactly that: what was in
// force, the configs before and after, and the order. Each part has 32 hexadecimal digits.
type seen struct{ inForce, configs, order string }

// String returns the text in the form of a preview.
func (s seen) String() string { return s.inForce + "." + s.configs + "." + s.order }

// parseSeen returns what a form contains. Of another text it returns what no preview showed.
func parseSeen(text string) (s seen) {
	s.inForce, text, _ = strings.Cut(text, ".")
	s.configs, s.order, _ = strings.Cut(text, ".")
	return s
}

// seenBy returns what the preview of a change shows. Its order is authenticated with the key of the viewer: a form that
// was changed, or that another person sends, has another one.
func seenBy(r *request, kind string, f *actionForm, o control.Order, controls *control.Controls, change *control.Change) seen {
	in := orders.InForce(controls)
	in.Applied = false // whether the leader has acted changes by itself
	inForce, _ := json.Marshal(in)
	configs := sha256.New()
	for _, config := range [][]byte{change.Before, change.After} {
		sum := sha256.Sum256(config)
		configs.Write(sum[:])
	}
	order := fmt.Appendf(nil, "%q", []string{
		kind, r.view.Label, f.Reference, f.Flag, f.Value, o.By, o.Reason, o.For.String(),
	})
	sum := sha256.Sum256(inForce)
	return seen{digits(sum[:]), digits(configs.Sum(nil)), digits(mac(r.who.key, "order", order...))}
}

func digits(sum []byte) string { return hex.EncodeToString(sum[:16]) }
