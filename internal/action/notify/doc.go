// Package notify holds the actions that tell people something.
package notify
