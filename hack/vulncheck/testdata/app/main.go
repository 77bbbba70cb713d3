// Command app calls a function that an invented vulnerability is about.
package main

import "example.test/frail"

func main() { frail.Break() }
