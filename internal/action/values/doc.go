// Package values holds the action that takes the values file of a Helm chart from
// one version of the chart to another, by rules.
package values
