//go:build !race

package main

// raceFactor is how much more memory a program takes with the race detector, about.
const raceFactor = 1
