// Package chart checks the Helm chart in deploy/helm/catbridge: Helm, at the version of tools/helm,
// renders it with many values, and every object must be one of the Kubernetes API, fit the
// others, and run the program with settings that it accepts.
package chart
