// Package script runs the leader's scripts on Redis and reads what they wrote. It decides
// nothing: which content is current, and what follows from an outcome, is the caller's task.
//
//	acquire   takes the lock under a new epoch          [Store.Acquire]
//	commit    writes entry, blob and meta, publishes    [Store.Commit]
//	          the change, and adds it to the history
//	trim      removes the oldest of the history         [Store.Trim]
//	renew     extends the lock, checks what is stored,  [Store.Renew]
//	          and publishes the heartbeat
//	release   deletes the lock and publishes that       [Store.Release]
//	refresh   counts a request to poll                  [Store.RequestRefresh]
//	control   replaces the operators' control           [Store.WriteControl]
//	          and publishes that
//	read_control
//	          reads the control and what is current     [Store.Control]
//
// The head of each .lua file describes its keys, arguments and reply. A script is sent as
// EVALSHA, and as EVAL if the server does not know it. Running a script twice is harmless (F32).
//
// # Batches
//
// Scripts that acquire, renew and release are batched. While one is in flight to a Redis node,
// others wait for its reply, for at most 2 ms, and then share a round trip. Otherwise a script
// is sent at once. Commits are always sent at once and alone. Each script keeps its own
// timeout and outcome. If Redis answers a script with an error, for example because it does
// not know the script or the slot has moved, the script is sent again alone.
package script
