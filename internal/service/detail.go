package service

import (
	"context"

	"github.com/refitproject/refit/internal/report"
)

// Detail returns what there is to know of one step of a run: what the plan says of
// it, and how far it has come.
func (s *Service) Detail(ctx context.Context, id, stage, step string) (*report.StepDetail, error) {
	src, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	d, ok := report.BuildStepDetail(src, v, stage, step)
	if !ok {
		return nil, hasStepIn(v, stage, step)
	}
	return &d, nil
}
