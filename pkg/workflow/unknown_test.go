package workflow

import "testing"

// What a person is asked about must not show what may be secret.
func TestWhatAStepDoesIsNamedWithoutSecrets(t *testing.T) {
	for config, want := range map[string]string{
		`{"url":"https://api.example.com/pay?key=s3cret","method":"POST"}`:            "POST https://api.example.com/pay",
		`{"url":"https://ana:s3cret@api.example.com/x"}`:                              "GET https://api.example.com/x",
		`{"url":"https://api.example.com"}`:                                           "GET https://api.example.com",
		`{"url":"{{ inputs.base }}/pay?key={{ inputs.key }}","method":"PATCH"}`:       "PATCH {{ inputs.base }}/pay",
		`{"url":"https://api.example.com/{{ inputs.id }}/x@y?a=1","method":"DELETE"}`: "DELETE https://api.example.com/{{ inputs.id }}/x@y",
		`[]`: "",
	} {
		if got := http("a", config).Deed(); got != want {
			t.Errorf("%s: %q, want %q", config, got, want)
		}
	}
	if got := (Step{ID: "a", Action: ActionEmail}).Deed(); got != "send_email" {
		t.Errorf("a mail step does %q", got)
	}
}

func TestWhatMayBeDoneTwiceIs(t *testing.T) {
	for method, want := range map[string]string{
		"": UnknownRetry, "GET": UnknownRetry, "HEAD": UnknownRetry, "PUT": UnknownRetry, "DELETE": UnknownRetry,
		"OPTIONS": UnknownRetry, "POST": UnknownHold, "PATCH": UnknownHold,
	} {
		step := http("a", `{"url":"https://e.org","method":"`+method+`"}`)
		if got := step.UnknownPolicy(); got != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
		step.OnUnknown = UnknownFail
		if got := step.UnknownPolicy(); got != UnknownFail {
			t.Errorf("%s: %s although the step says otherwise", method, got)
		}
	}
	for action, want := range map[string]string{ActionEmail: UnknownHold, ActionSlack: UnknownRetry, ActionTelegram: UnknownRetry} {
		if got := (Step{ID: "a", Action: action}).UnknownPolicy(); got != want {
			t.Errorf("%s: %s, want %s", action, got, want)
		}
	}
	if got := log("a").UnknownPolicy(); got != UnknownRetry {
		t.Errorf("a log step: %s", got)
	}
}
