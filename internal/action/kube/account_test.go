package kube_test

import (
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// asAccount is the environment of a step that uses an account of the namespace, by a
// kubeconfig with a token of it.
func asAccount(t *testing.T, space *kubetest.Space, account string) action.Env {
	t.Helper()
	env := space.Env()
	env.Target.Config = map[string]any{"kubeconfig": space.As(account)}
	return env
}
