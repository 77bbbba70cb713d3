// Command coredns is CoreDNS with the plugins that a cluster without a way out
// needs. Its usual set brings the libraries of three clouds, which would be most
// of the time of its build.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	// The order in which a question passes the plugins: template answers what
	// kubernetes leaves.
	dnsserver.Directives = []string{
		"health", "ready", "prometheus", "errors", "cache", "loadbalance", "kubernetes", "template",
	}
	coremain.Run()
}
