// Package manual holds the action for work that a person does outside Refit.
package manual
