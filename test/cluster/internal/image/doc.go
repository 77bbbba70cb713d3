// Package image makes container images without a registry: from recipes, small
// files that say which program goes where, into archives in the cache that are
// named after everything that went in.
package image
