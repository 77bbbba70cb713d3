// Package database tests that the database servers of the images serve in a
// cluster as people run them: on a volume, behind a Service, through a kill.
package database
