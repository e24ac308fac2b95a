package workflow

import "testing"

func TestPaths(t *testing.T) {
	v := map[string]any{"a": []any{map[string]any{"b c": 1.0, "d.e": 2.0}}, "x": nil}
	for text, want := range map[string]any{"a[0]['b c']": 1.0, `$.a[0]["d.e"]`: 2.0, "x": nil} {
		path, err := ParsePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, ok := path.Find(v); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"a[1]", "a.b", "y", "x.y", "a[0].b"} {
		path, err := ParsePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got, ok := path.Find(v); ok {
			t.Errorf("%s leads to %v", text, got)
		}
	}
	for _, text := range []string{"", "$", "a..b", "a[", "a[x]", "a[-1]", "a['b]", "*", "a[*]", "$a", "a]"} {
		if path, err := ParsePath(text); err == nil {
			t.Errorf("%q is taken as %q", text, path)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"a.b", "$['a'][0]", "a[", ".", "$.", "['"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		if path, err := ParsePath(text); err == nil {
			path.Find(map[string]any{"a": []any{1.0}})
		}
	})
}
