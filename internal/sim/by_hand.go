package sim

import (
	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/run"
)

// takenBack returns the step whose work a person is said to have taken back.
func (s *sim) takenBack(b run.Body) *info {
	done, ok := b.(*run.PersonDone)
	back := s.state.Back
	if !ok || back == nil || s.state.Status.Final() || !back.Built || back.Next >= len(back.Items) {
		return nil
	}
	item := &back.Items[back.Next]
	if item.Life != run.Awaiting || item.Stage != done.Gate.Stage || item.Step != done.Gate.Step {
		return nil
	}
	return s.world.info(item.Ref)
}

// workByHand lets a person change the world, or take the change back, once enough
// of them have said so.
func (s *sim) workByHand(b *run.PersonDone, taken *info) {
	if taken != nil {
		s.world.takeBackByHand(taken)
		return
	}
	in := s.world.infos[b.Gate.Stage+"/"+b.Gate.Step]
	if in == nil || in.step.Effect != action.Mutating {
		return
	}
	if st, _ := s.state.StepAt(in.at); st.Status == run.StepSucceeded {
		s.world.begin(in.at.Stage)
		s.world.doByHand(in)
	}
}

func (w *world) doByHand(in *info) {
	o, key := w.object(in.object), doKey(in, "")
	o.prior[key] = o.value
	w.changed[key]++
	w.set(o, in.want)
	o.foreign = false
}

// takeBackByHand leaves what somebody else has set.
func (w *world) takeBackByHand(in *info) {
	o, key := w.object(in.object), doKey(in, "")
	if !o.foreign {
		w.set(o, o.prior[key])
	}
	delete(o.prior, key)
	w.changed[key] = 0
}
