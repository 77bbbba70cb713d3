// Package kube holds the actions that read and change objects of a Kubernetes
// cluster, one per file.
//
// What an object will be after a change is asked of the server itself (a dry run),
// so that defaults, conversions and admission are in it. What a step has changed is
// recorded field by field; only these fields are taken back, and only while they
// still hold what the step has set. Values of Secrets are neither shown nor recorded.
package kube
