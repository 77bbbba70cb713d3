// Package disktest gives tests file systems that are really small.
package disktest
