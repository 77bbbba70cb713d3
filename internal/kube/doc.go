// Package kube connects to Kubernetes clusters and says in one line what they
// answered. It knows kubeconfig files and the API, and nothing of what is done with
// them: action families, secrets and what is asked of a cluster before there is a plan
// stand on it.
package kube
