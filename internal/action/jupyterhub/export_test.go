package jupyterhub

import "github.com/refitproject/refit/internal/action"

// ScratchUser is the user that a step with this key makes.
func ScratchUser(key string) string { return scratchUser(action.Env{Key: key}) }
