package redistest

import "testing"

// migrateTimeout is the maximum time to migrate a key, in milliseconds.
const migrateTimeout = 5000

// MoveSlot moves the slot of a key, with its content, from its primary to another, as an
// operator's tool does while clients continue.
func (c *Cluster) MoveSlot(t testing.TB, key string, from, to *Process) {
	t.Helper()
	slot := from.must(t, "CLUSTER", "KEYSLOT", key)
	source, target := from.must(t, "CLUSTER", "MYID"), to.must(t, "CLUSTER", "MYID")
	to.must(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", source)
	from.must(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", target)
	for c.moveKeys(t, slot, from, to) {
	}
	// The target first: while no other node says who owns the slot, the source's replicas
	// must not be asked to take part.
	for _, node := range []*Process{to, from} {
		node.must(t, "CLUSTER", "SETSLOT", slot, "NODE", target)
	}
}

// moveKeys moves some keys of a slot and reports whether there were any.
func (c *Cluster) moveKeys(t testing.TB, slot any, from, to *Process) bool {
	t.Helper()
	keys := from.must(t, "CLUSTER", "GETKEYSINSLOT", slot, 100).([]any)
	if len(keys) == 0 {
		return false
	}
	command := []any{"MIGRATE", "127.0.0.1", to.Port, "", 0, migrateTimeout}
	if admin := c.guard.admin(); admin.Name != "" {
		command = append(command, "AUTH2", admin.Name, admin.Password)
	}
	from.must(t, append(append(command, "KEYS"), keys...)...)
	return true
}
