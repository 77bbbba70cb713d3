package node

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
)

// inside is the name of the node's end of the cable.
const inside = "eth0"

// Link is the name of the machine's end of the cable of a cluster.
func Link(cluster string) string { return "rt-" + cluster }

// Used returns the networks that the machine has routes or addresses for,
// without the default route.
func Used() ([]netip.Prefix, error) {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	var used []netip.Prefix
	add := func(n *net.IPNet) {
		if n == nil {
			return
		}
		if p, err := netip.ParsePrefix(n.String()); err == nil && p.Bits() > 0 {
			used = append(used, p.Masked())
		}
	}
	for _, r := range routes {
		add(r.Dst)
	}
	for _, a := range addrs {
		add(a.IPNet)
	}
	return used, nil
}

// Connect lays a cable from the machine to the node whose first process is pid,
// and a route to its pods and services.
func (n Network) Connect(link string, pid int) error {
	cable := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: link}, PeerName: inside, PeerNamespace: netlink.NsPid(pid),
	}
	if err := netlink.LinkAdd(cable); err != nil {
		return fmt.Errorf("add network interface %q: %w", link, err)
	}
	host, err := netlink.LinkByName(link)
	if err != nil {
		return fmt.Errorf("find network interface %q: %w", link, err)
	}
	if err := up(host, n.Host); err != nil {
		return err
	}
	for _, to := range []netip.Prefix{n.Pods, n.Services} {
		route := &netlink.Route{LinkIndex: host.Attrs().Index, Dst: ipNet(to), Gw: n.Node.Addr().AsSlice()}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("add a route to %s: %w", to, err)
		}
	}
	return nil
}

// Disconnect removes the cable if it is there, with its routes.
func Disconnect(link string) error {
	host, err := netlink.LinkByName(link)
	if _, ok := errors.AsType[netlink.LinkNotFoundError](err); ok {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(host)
	}
	if err != nil {
		return fmt.Errorf("remove network interface %q: %w", link, err)
	}
	return nil
}

// Connected tells whether the machine has an interface of that name.
func Connected(link string) bool {
	_, err := netlink.LinkByName(link)
	return err == nil
}

// enter sets up the node's side: the cable is there before.
func (n Network) enter() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("set up the loopback of the node: %w", err)
	}
	eth, err := netlink.LinkByName(inside)
	if err != nil {
		return fmt.Errorf("find the cable of the node: %w", err)
	}
	if err := up(eth, n.Node); err != nil {
		return err
	}
	route := &netlink.Route{LinkIndex: eth.Attrs().Index, Gw: n.Host.Addr().AsSlice()}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("add the default route of the node: %w", err)
	}
	for name, must := range map[string]bool{
		"/proc/sys/net/ipv4/ip_forward": true,
		// Answers of a Service on the same bridge pass the rules only with
		// this; a kernel without it has no bridge filter to pass by.
		"/proc/sys/net/bridge/bridge-nf-call-iptables": false,
	} {
		err := os.WriteFile(name, []byte("1"), 0o644)
		if err != nil && (must || !errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("set a value of the node's network: %w", err)
		}
	}
	return nil
}

// up gives an interface its address and switches it on.
func up(link netlink.Link, addr netip.Prefix) error {
	name := link.Attrs().Name
	ip := &net.IPNet{IP: addr.Addr().AsSlice(), Mask: net.CIDRMask(addr.Bits(), 32)}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ip}); err != nil {
		return fmt.Errorf("give %q the address %s: %w", name, addr, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("switch %q on: %w", name, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}
