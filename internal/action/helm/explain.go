package helm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// interrupted says that nobody waits any more.
func interrupted(doing string, cause error, effect action.Extent) error {
	return &action.Error{
		Reason: reasonInterrupted, Retryable: true, Effect: effect, Err: fmt.Errorf("%s: %w", doing, cause),
	}
}

// squeeze makes one line of what Helm or a chart says, which may be a page.
func squeeze(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

var (
	// failCall is how Helm tells of the function fail in a template.
	failCall = regexp.MustCompile(`(?s)execution error at \(([^)]*)\): (.*)`)
	// template is how it tells of templates that cannot be carried out.
	template = regexp.MustCompile(
		`^template: |parse error at |error calling |YAML parse error on |error unmarshaling JSON`)
	taken = regexp.MustCompile(`exists and cannot be imported into the current release`)
)

// rendering explains why there is nothing that could be applied; nil when err is about
// something else.
func rendering(doing string, err error) *action.Error {
	text := err.Error()
	if match := failCall.FindStringSubmatch(text); match != nil {
		return refused(reasonChartRefuses, "change the values as it says",
			fmt.Errorf("%s: the chart refuses the values (%s): %s", doing, match[1], squeeze(match[2])))
	}
	if _, ok := errors.AsType[chartutil.JSONSchemaValidationError](err); ok ||
		strings.Contains(text, "values don't meet the specifications of the schema") {
		_, list, found := strings.Cut(text, "chart(s):")
		if !found {
			list = text
		}
		return refused(reasonValuesRefused, "change the values", fmt.Errorf(
			"%s: the values do not fit the schema of chart %s", doing, squeeze(list)))
	}
	switch {
	case strings.Contains(text, "chart requires kubeVersion"):
		return refused(reasonClusterUnfit, "upgrade the cluster first, or take another version of the chart",
			fmt.Errorf("%s: %s", doing, squeeze(text)))
	case taken.MatchString(text):
		return refused(reasonObjectTaken, "remove the object, or give it to the release by its labels and annotations",
			fmt.Errorf("%s: %s", doing, squeeze(strings.TrimPrefix(text, "unable to continue with update: "))))
	case strings.Contains(text, "has no deployed releases"):
		return refused(reasonRevisionNotFound, "roll the release back to a revision that was deployed, with helm",
			fmt.Errorf("%s: %s", doing, squeeze(text)))
	case template.MatchString(text):
		return refused(reasonChartInvalid, "correct the values or the chart",
			fmt.Errorf("%s: the chart cannot be rendered: %s", doing, squeeze(text)))
	}
	return nil
}

// explain makes an *action.Error of what Helm says. trouble is what was found out
// about what did not become ready.
func (s *session) explain(ctx context.Context, doing string, err error) error {
	extent := action.ExtentNone
	if s.stamper.created {
		extent = action.ExtentPartial
	}
	if failed, ok := errors.AsType[*action.Error](err); ok {
		return failed
	}
	// What was found out tells more than that the time was over; who cancels knows why.
	if ctx.Err() != nil && (s.client.trouble == "" || errors.Is(ctx.Err(), context.Canceled)) {
		return interrupted(doing, context.Cause(ctx), extent)
	}
	if failed := rendering(doing, err); failed != nil {
		failed.Effect = extent
		return failed
	}
	text := squeeze(err.Error())
	if s.client.trouble != "" {
		text = s.client.trouble
	}
	failed := &action.Error{Retryable: true, Effect: extent, Err: fmt.Errorf("%s: %s", doing, text)}
	switch {
	case strings.Contains(err.Error(), "hooks failed") || strings.Contains(err.Error(), "Hook "):
		failed.Reason, failed.Remedy = reasonHookFailed, "look at what the hook does: its job or pod has the log"
		failed.Err = fmt.Errorf("%s: a hook of the chart did not succeed: %s", doing, text)
	case apierrors.IsConflict(err) && strings.Contains(err.Error(), "conflict with"):
		failed.Reason, failed.Retryable = reasonFieldTaken, false
		failed.Remedy = "let the other owner give up the fields, or change the values so that the chart leaves them out"
	case strings.Contains(err.Error(), "not ready. status") || s.client.trouble != "":
		failed.Reason = reasonNotReady
		failed.Remedy = "mend what keeps it from becoming ready, or give the step more time"
	default:
		return other(doing, err, extent)
	}
	return failed
}

// other explains what Helm hands through from the cluster, or says by itself.
func other(doing string, err error, extent action.Extent) error {
	failed, ok := errors.AsType[*action.Error](kube.Failure(doing, err, extent))
	if ok && failed.Reason != kube.ReasonRefused {
		if extent != action.ExtentNone {
			failed.Effect = extent
		}
		return failed
	}
	return &action.Error{
		Reason: reasonHelmFailed, Retryable: true, Effect: extent,
		Err: fmt.Errorf("%s: %s", doing, squeeze(err.Error())),
	}
}
