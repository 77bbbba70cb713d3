// Package frail is invented.
package frail

// Break is the vulnerable function.
func Break() {}
