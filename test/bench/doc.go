// Package bench measures the bridge: propagation compared with the floor, leaders with many
// SDK keys, followers, reconnects and the spread window. It compares only figures of the
// same run, and asserts no time. The measurements are benchmarks, each of which is one
// round trip through the whole bridge and must run with -benchtime 1x:
//
//	make bench         the quick plan, about 3 minutes, into bin/bench
//	make bench-full    the full plan, into docs
//
// Both write [Results], from which test/bench/report makes pages and plots. A run is added
// to an existing file, so that several runs give a median and a spread.
//
// # The floor
//
// The floor is raw go-redis without any code of the bridge: each receiver has a
// subscription, and reads with its own client. It consists of PUBLISH, receive, and GET of
// the same bytes; the first receiver of the process decodes and compiles them, and all
// others wait for it. It begins with PUBLISH, whereas the bridge begins with the webhook's
// request.
package bench
