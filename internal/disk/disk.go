package disk

// Room is how much there is on a file system.
type Room struct {
	// Free is how many bytes this user can write, Total how many there are.
	Free, Total int64
	// FreeFiles and TotalFiles count files; TotalFiles is 0 where there is no
	// limit.
	FreeFiles, TotalFiles int64
	// ReadOnly tells that nothing can be written.
	ReadOnly bool
}
