// goreleaser builds a release, by .goreleaser.yaml. v2.17.0 is the last version for Go 1.26.
module github.com/catbridge/catbridge/tools/goreleaser

go 1.26.4

tool github.com/goreleaser/goreleaser/v2

require github.com/goreleaser/goreleaser/v2 v2.17.0
