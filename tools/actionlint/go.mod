// actionlint checks the workflows in .github.
module github.com/catbridge/catbridge/tools/actionlint

go 1.26.0

tool github.com/rhysd/actionlint/cmd/actionlint

require github.com/rhysd/actionlint v1.7.12
