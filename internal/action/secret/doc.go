// Package secret holds the action that copies secrets to where they outlive their
// source.
package secret
