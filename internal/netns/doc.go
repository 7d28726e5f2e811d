// Package netns makes network namespaces of this process and joins them by virtual cables. It needs Linux, and the
// rights of a network's administrator: those of root, or of whoever is in a user namespace of its own (Enter).
package netns
