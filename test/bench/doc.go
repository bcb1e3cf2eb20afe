// Package bench measures the bridge: propagation against the floor, leaders with many SDK
// keys, followers, reconnecting and the spread window. What it measures it compares within
// the same run; nothing timed is asserted. The measuring is done by benchmarks, each of
// which is one round trip through the whole bridge and is to be run with -benchtime 1x:
//
//	make bench         the quick plan, below 3 minutes, into bin/bench
//	make bench-full    the full plan, into docs
//
// Both write [Results], of which test/bench/report makes pages and plots. A run is added
// to a file that is there, so that several runs give a median and a spread.
//
// # The floor
//
// Raw go-redis and no other code of the bridge: each receiver has a subscription and reads
// by a client of its own. PUBLISH, receive, GET of the same bytes; the first receiver of the
// process decodes and compiles them, as all others wait for. It begins with PUBLISH, whereas
// the bridge begins with the webhook's request.
package bench
