// Package patch makes and applies patches: how content differs from earlier content, its base.
//
//	{prefix} {suffix} {codec}\n{middle}
//
// The content starts with the first prefix bytes of the base and ends with its last suffix bytes.
// Between them is the middle: as it is (raw), or as one Zstandard frame that states its
// content's size (zstd). If the middle of the base has at least 8 bytes, it is the frame's
// dictionary, as raw content: edits that are far apart cost a few bytes each.
//
// A patch contains neither the hash of its base nor that of its result. The caller of [Apply] must
// compare the SHA-256 of the result.
//
// The package has no state and does no I/O. All functions are safe for concurrent use.
package patch
