// golangci-lint checks the code with the rules of .golangci.yml.
module github.com/catbridge/catbridge/tools/golangci-lint

go 1.26.0

tool github.com/golangci/golangci-lint/v2/cmd/golangci-lint

require github.com/golangci/golangci-lint/v2 v2.15.0
