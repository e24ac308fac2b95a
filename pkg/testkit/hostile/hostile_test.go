package hostile_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/hostile"
)

// What is said of the cases is true by Go's own reader, which is strict but for invalid UTF-8.
func TestTheVerdictsAreRight(t *testing.T) {
	count, seen := map[hostile.Verdict]int{}, map[string]bool{}
	for _, c := range hostile.JSON() {
		count[c.Verdict()]++
		if seen[c.Name] {
			t.Errorf("%s stands here twice", c.Name)
		}
		seen[c.Name] = true
		valid := json.Valid([]byte(c.JSON)) && utf8.ValidString(c.JSON)
		if c.Verdict() == hostile.Accept && !valid || c.Verdict() == hostile.Refuse && valid {
			t.Errorf("%s: valid is %v", c.Name, valid)
		}
	}
	t.Logf("%d to be refused, %d to be accepted, %d left open", count[hostile.Refuse], count[hostile.Accept], count[hostile.Either])
}

func TestTextsAndValuesCanBeSent(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range hostile.Texts() {
		if !utf8.ValidString(x.Value) || seen[x.Value] {
			t.Errorf("%s is no UTF-8, or stands here twice", x.What)
		}
		seen[x.Value] = true
	}
	for _, x := range hostile.Values() {
		if !json.Valid([]byte(x.Value)) {
			t.Errorf("%s is no JSON: %.100s", x.What, x.Value)
		}
	}
}
