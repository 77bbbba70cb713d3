package plan

import (
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Channel is a way to notify people.
type Channel struct {
	Name string `json:"name"`
	// Kind is slack, mail, webhook or service.
	Kind string `json:"kind"`
	// Address is a reference to the secret that holds the address.
	Address map[string]any `json:"address"`
	// On are the events to tell of, empty for all; not in the digest.
	On []string `json:"on,omitempty"`
	// Title and Text are expressions over notice, empty for the usual ones; not
	// in the digest.
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
}

// ChannelsOf returns the channels of a platform over which people are notified.
func ChannelsOf(p *platform.Platform) []Channel {
	var out []Channel
	for i := range p.Notifications {
		n := &p.Notifications[i].Value
		c := Channel{Name: p.Notifications[i].Name, Kind: n.Kind.Value, Title: written(n.Title), Text: written(n.Text)}
		if n.Address != nil {
			c.Address, _ = n.Address.Plain().(map[string]any)
		}
		for _, on := range n.On {
			c.On = append(c.On, on.Value)
		}
		out = append(out, c)
	}
	return out
}

// written returns a text as it was written, with its expressions.
func written(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	text, _ := n.Plain().(string)
	return text
}
