// Package netns gives a test a network of its own, in which packets can be dropped: a
// network namespace of the kernel with nothing but its loopback, on which every address
// 127.0.0.0/8 stands for a host. It needs root and the program nft; nothing of the
// machine's own network is touched.
package netns
