// Package image makes container images without a registry: from recipes, small
// files that say what goes into an image. What is made is kept in the cache as
// layers, each under a name that says what it was made from, so that images of
// one Debian system share it; an image is put together when it is loaded.
package image
