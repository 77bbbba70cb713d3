package service

import (
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
)

// Diff compares two plans.
func (s *Service) Diff(older, newer *plan.Plan) report.Diff { return report.PlanDiff(older, newer) }
