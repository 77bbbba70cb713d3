package kube_test

import (
	"os"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	kubeapi "github.com/refitproject/refit/internal/kube"
)

func connectorOf() *kubeapi.Connector { return kubeapi.NewConnector(os.Environ()) }

func quantity(text string) resource.Quantity { return resource.MustParse(text) }

func tokenRequest() *authenticationv1.TokenRequest { return &authenticationv1.TokenRequest{} }
