package expr

// Functions lists the functions and macros that an author can write, for the
// test of the package comment.
func Functions() ([]string, error) {
	l, err := shared()
	if err != nil {
		return nil, err
	}
	return l.names, nil
}
