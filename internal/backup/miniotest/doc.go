// Package miniotest runs a real MinIO server for tests: a program of its own on a
// free loopback port, with a temporary folder, that ends with the test.
package miniotest
