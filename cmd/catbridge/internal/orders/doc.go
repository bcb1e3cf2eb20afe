// Package orders has what catbridge pin, unpin, force, unforce and controls have in common with the
// dashboard: they check what operators order, say what it changes, and say what is in force. It
// writes nothing by itself.
package orders
