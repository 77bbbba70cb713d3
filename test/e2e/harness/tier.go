package harness

import "os"

// Tier says how much is tested: "full" is everything, anything else the short set.
const Tier = "REFIT_TIER"

// Full tells whether everything is to be tested.
func Full() bool { return os.Getenv(Tier) == "full" }
