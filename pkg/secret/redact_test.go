package secret

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// canaries are values with what escapes differ about.
var canaries = []string{
	"sk_live_4eC39HqLyjWDarjtT1zdp7dc",
	`p&ss"w<o>rd'/with+all=of%it\and~more`,
	"contraseña größer 🔑 clé",
	"two words  and\ttabs",
	"-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END KEY-----\n",
	"100%25",
	"1234",
}

// forms are the ways in which programs write a value.
func forms(v string) map[string]string {
	plain, _ := json.Marshal(v)
	var loose strings.Builder
	encoder := json.NewEncoder(&loose)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
	nested, _ := json.Marshal(string(plain))
	deep, _ := json.Marshal(string(nested))
	all := map[string]string{
		"as it is":                 v,
		"JSON":                     string(plain),
		"JSON without HTML":        loose.String(),
		"JSON within JSON":         string(nested),
		"JSON within JSON in JSON": string(deep),
		"ASCII JSON":               strconv.QuoteToASCII(v),
		"JSON of PHP":              strings.ReplaceAll(string(plain), "/", `\/`),
		"Go":                       strconv.Quote(v),
		"query":                    url.QueryEscape(v),
		"path":                     url.PathEscape(v),
		"URL":                      (&url.URL{Path: "/" + v}).EscapedPath(),
		"query twice":              url.QueryEscape(url.QueryEscape(v)),
		"lower-case query":         strings.ToLower(url.QueryEscape("/+")) + url.QueryEscape(v),
		"HTML":                     html.EscapeString(v),
		"one line":                 strings.Join(strings.Fields(v), " "),
		"basic":                    base64.StdEncoding.EncodeToString([]byte("user:" + v)),
		"basic in a query":         url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("u:" + v))),
		"base64 in JSON of PHP":    strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(v)), "/", `\/`),
	}
	for _, around := range []string{"", "a", "ab", "abc"} {
		text := []byte(around + v + around)
		all["base64 after "+around] = base64.StdEncoding.EncodeToString(text)
		all["raw base64 after "+around] = base64.RawStdEncoding.EncodeToString(text)
		all["URL base64 after "+around] = base64.URLEncoding.EncodeToString(text)
	}
	wide := base64.StdEncoding.EncodeToString([]byte(v))
	all["base64 in lines"] = wide[:len(wide)/2] + "\r\n" + wide[len(wide)/2:]
	return all
}

func TestNoFormOfAValueIsLeft(t *testing.T) {
	for _, v := range canaries {
		r := NewRedactor("another value", v)
		for form, text := range forms(v) {
			for _, around := range []string{"%s", "token %s, said the server", `{"a": "%s"}`, "%%%s%%", `\%s\`} {
				whole := fmt.Sprintf(around, text)
				got := r.Hide(whole)
				if !strings.Contains(got, Hidden) {
					t.Errorf("%s of %q: %q is left", form, v, got)
				}
				bare := strings.NewReplacer(`"`, "", `\`, "").Replace
				// At most the characters of base64 that hold bits of the neighbours too, and its padding.
				if left := len(bare(got)) - len(Hidden) - len(bare(fmt.Sprintf(around, ""))) - 12; left > 0 && !strings.Contains(v, "\n") {
					t.Errorf("%s of %q: %q is left", form, v, got)
				}
				if again := r.Hide(got); again != got {
					t.Errorf("%s of %q: hidden again it is %q", form, v, again)
				}
			}
		}
	}
}

func TestOtherTextIsLeftAlone(t *testing.T) {
	r := NewRedactor(canaries...)
	for _, text := range []string{
		"", "no secret here", "sk_live_", "12 34", `{"a": "\u00e9\\", "b": "%2F%2G%"}`, "%", `\`, "&", `\u12`, "%e", strings.Repeat("-----", 20),
		strings.Repeat(`\`, 1000), strings.Repeat("%25", 1000),
	} {
		if got := r.Hide(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	var none *Redactor
	if got := none.Hide("text"); got != "text" || none.HideCut("text") != "text" || none.Finds("text") {
		t.Errorf("no redactor: %q", got)
	}
	if got := NewRedactor("abc", "  ", ""); got != nil {
		t.Error("values that are too short make a redactor")
	}
}

func TestValuesThatAreCutOff(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 10)
	r := NewRedactor(long, "sk_live_4eC39HqL")
	for text, want := range map[string]string{
		"begin " + long[:60] + "…": "begin ***…", // wherever it is cut, its beginning is known
		"begin " + long + " end":   "begin *** end",
		"key sk_live_4eC":          "key sk_live_4eC",
	} {
		if got := r.Hide(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"key sk_live_4eC":    "key ***",
		"key sk_l":           "key ***",
		"key sk_":            "key sk_",
		"key sk_live_4eC no": "key sk_live_4eC no",
		"key sk%5flive":      "key ***",
	} {
		if got := r.HideCut(text); got != want {
			t.Errorf("cut %q became %q, want %q", text, got, want)
		}
	}
}

// A line of a key is as secret as the key.
func TestLinesOfAValueAreHidden(t *testing.T) {
	r := NewRedactor(canaries[4])
	if got := r.Hide("line 2: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC."); got != "line 2: ***." {
		t.Errorf("%q", got)
	}
}

func TestJSONStaysJSON(t *testing.T) {
	r := NewRedactor("hunter22", "987654")
	for raw, want := range map[string]string{
		`{"a":"x hunter22 y","hunter22":[1,true,null,{"n":987654,"m":12345678901234567890}]}`: `{"***":[1,true,null,{"m":12345678901234567890,"n":"***"}],"a":"x *** y"}`,
		`"aHVudGVyMjI="`: `"***I="`,
		`not hunter22`:   `"not ***"`,
		``:               ``,
	} {
		if got := string(r.JSON(json.RawMessage(raw))); got != want {
			t.Errorf("%s became %s, want %s", raw, got, want)
		}
	}
}

func TestFindsInWhateverCase(t *testing.T) {
	r := NewRedactor("Hunter22")
	if !r.Finds("hunter22.example.com:443") || r.Finds("example.com") {
		t.Error("a host is not told from another")
	}
}

func FuzzHide(f *testing.F) {
	for _, v := range canaries {
		for _, text := range forms(v) {
			f.Add(v, text)
		}
	}
	f.Fuzz(func(t *testing.T, value, text string) {
		r := NewRedactor(value)
		got := r.Hide(text + value + text)
		if r != nil && !strings.Contains(value, Hidden) && strings.Contains(got, value) && !strings.Contains(Hidden, strings.TrimSpace(value)) {
			t.Errorf("%q is left in %q", value, got)
		}
		r.HideCut(text)
	})
}

// A value of which the text is full of beginnings must not cost a worker.
func BenchmarkHideHostile(b *testing.B) {
	r := NewRedactor(strings.Repeat("a", 60<<10) + "b")
	text := strings.Repeat(strings.Repeat("a", 31)+"c", 8<<10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.Hide(text)
	}
}

func BenchmarkHide(b *testing.B) {
	r := NewRedactor(canaries...)
	text := strings.Repeat(`{"id": 12, "name": "Some text that is in an answer", "url": "https://example.com/a%20b"}`, 3000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.Hide(text)
	}
}
