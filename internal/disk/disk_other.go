//go:build !linux

package disk

import "errors"

// RoomAt cannot tell on this system.
func RoomAt(string) (Room, error) {
	return Room{}, errors.New("how much room there is can only be asked on Linux")
}

// Network names the kind of network file system that path is on; it is only known
// on Linux.
func Network(string) string { return "" }
