// Package refit tests that Refit itself runs in a cluster from its image.
package refit
