// Package repo checks what no package's own tests can: the dependencies between packages,
// the pages, the files in deploy, the image, and that every fault and every row of the SDK
// surface has a test.
package repo
