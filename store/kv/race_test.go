//go:build race

package kv

const raceDetector = true
