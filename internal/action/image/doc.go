// Package image has the actions that look into container images. A registry need not be
// reached from this machine for that: a pod in the cluster runs a program of the image.
package image
