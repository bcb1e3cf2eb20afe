// Package netns gives a test its own network, which can drop packets: a network namespace
// of the kernel with only a loopback interface, on which every address in 127.0.0.0/8 is a
// host. It needs root and the program nft. It does not change the machine's own network.
package netns
