// Package words has the words with which the commands and the dashboard say the same things: sizes and
// times, gaps of a history, the state of a fleet and of a leader, and what to do.
package words
