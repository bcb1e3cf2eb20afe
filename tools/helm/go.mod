// helm checks and packs the chart in deploy/helm.
module github.com/catbridge/catbridge/tools/helm

go 1.26.0

tool helm.sh/helm/v3/cmd/helm

require helm.sh/helm/v3 v3.22.0
