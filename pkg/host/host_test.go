package host

import "testing"

func TestHowAHostIsNamed(t *testing.T) {
	for url, want := range map[string]string{
		"https://API.Example.com/x?y":   "api.example.com:443",
		"http://api.example.com":        "api.example.com:80",
		"HTTP://api.example.com":        "api.example.com:80",
		"https://api.example.com:8443/": "api.example.com:8443",
		"https://user:pw@api.example/x": "api.example:443",
		" https://[2001:DB8::1]/x ":     "[2001:db8::1]:443",
		"https://[::1]:9000":            "[::1]:9000",
		"/x":                            "",
		"not a url\x7f":                 "",
		"https://":                      "",
		"mailto:ana@example.com":        "",
		"https://127.0.0.1:1/{{ x }}":   "127.0.0.1:1",
	} {
		if got := KeyOf(url); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}

func TestWhatPeopleTakeForAHost(t *testing.T) {
	for text, want := range map[string]string{
		"api.example.com": "api.example.com:443", "API.example.com:80": "api.example.com:80", "127.0.0.1": "127.0.0.1:443",
		"[::1]:80": "[::1]:80", "[::1]": "[::1]:443", "::1": "[::1]:443", "my_service:8080": "my_service:8080", "x:0080": "x:80",
	} {
		if got, err := ParseKey(text); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", ":80", "x:", "x:0", "x:65536", "x:http", "-x", "x-", "a b", "a/b", "https://x", "ä.example", "x\x00", "a:b:c"} {
		if got, err := ParseKey(text); err == nil {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
}
