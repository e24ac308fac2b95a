package hostile

import "strings"

// Text is a text that something on its way may take for something else.
type Text struct {
	What  string
	Value string
}

// Texts are naughty strings, a few of each class that the Big List of Naughty Strings (Max Woolf) knows, written anew. Each is
// valid UTF-8; whoever takes one has to give it back byte for byte.
func Texts() []Text {
	return []Text{
		// Words that mean something in a language.
		{"undefined", "undefined"},
		{"null", "null"},
		{"NULL", "NULL"},
		{"None", "None"},
		{"nil", "nil"},
		{"true", "true"},
		{"a constructor", "constructor"},
		{"a prototype", "__proto__"},
		{"a property of every object", "hasOwnProperty"},
		{"a value of", "valueOf"},
		{"backslash", `\`},
		{"escape", `\\`},
		{"NaN", "NaN"},
		{"infinity", "Infinity"},

		// Numbers in all dresses.
		{"zero", "0"},
		{"minus zero", "-0"},
		{"a fraction", "1/2"},
		{"a dollar", "$1.00"},
		{"an exponent", "1E+02"},
		{"hex", "0xffffffff"},
		{"more than 64 bits", "9223372036854775808"},
		{"digits of elsewhere", "１２３ ١٢٣"},
		{"a comma", "1.000,00"},
		{"two dots", "1..2"},
		{"octal", "0o777"},

		// Marks and blanks.
		{"nothing", ""},
		{"a blank", " "},
		{"a tab", "\t"},
		{"line feed", "\n"},
		{"CR LF", "\r\n"},
		{"controls", "\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x1b\x7f"},
		{"controls of Latin-1", "\u0080\u0085\u009f"},
		{"blanks of all widths", "\u00a0\u1680\u2000\u2003\u2009\u202f\u205f\u3000"},
		{"no width", "\u200b\u200c\u200d\u2060\ufeff"},
		{"separators", "\u2028\u2029"},
		{"punctuation", "`~!@#$%^&*()_+-=[]{}|;':\",./<>?"},
		{"quotes", `''''"`},
		{"quotes of elsewhere", "“ ” „ ‟ ‘ ’ ‚ ‛ « »"},

		// Letters.
		{"accents", "Ørsted naïve façade Ñandú ¿qué?"},
		{"Cyrillic", "ЁЂЃЄЅІЇЈЉЊ"},
		{"Arabic", "مُنَاقَشَةُ سُبُلِ"},
		{"Hebrew and Latin", "שָׁלוֹם hello שָׁלוֹם"},
		{"Han", "社會科學院語學研究所"},
		{"Korean", "사회과학원 어학연구소"},
		{"Thai", "กราบพระ"},
		{"Devanagari", "संस्कृतम्"},
		{"Turkish dots", "İıIi"},
		{"letters that grow when lowered", "ȺȾ"},
		{"sharp s", "STRASSE straße ẞ"},
		{"ligatures", "ﬀ ﬃ ﷺ"},
		{"letters on letters", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮"},
		{"one letter, a thousand accents", "e" + strings.Repeat("\u0301", 1000)},
		{"decomposed", "e\u0301 n\u0303"},
		{"mathematical letters", "𝐓𝐡𝐞 𝔮𝔲𝔦𝔠𝔨 𝒷𝓇𝑜𝓌𝓃"},
		{"upside down", "˙ɐnbᴉlɐ ɐuƃɐɯ"},
		{"letters that look alike", "аdmіn"}, // Cyrillic а and і
		{"right to left", "\u202eexe.txt\u202c"},
		{"isolates that stay open", "\u2066\u2067\u2068"},
		{"tags", "\U000e0001\U000e0041"},
		{"private use", "\ue000\U000f0000"},
		{"what is no character", "\ufffe\uffff\U0010ffff"},
		{"the replacement", "\ufffd"},

		// Emoji.
		{"a face", "😍"},
		{"a family", "👨‍👩‍👧‍👦"},
		{"tones of skin", "👩🏽 👨🏿‍🚀"},
		{"flags", "🇪🇸🇺🇸🏳️‍🌈"},
		{"keycaps", "0️⃣ 1️⃣ 🔟"},

		// Other languages.
		{"SQL", "1;DROP TABLE users"},
		{"SQL that is always true", "' OR 1=1 -- 1"},
		{"SQL that sleeps", "'; select pg_sleep(10); --"},
		{"SQL with dollars", "$$;select 1;$$"},
		{"a pattern", "%_%\\%"},
		{"a script", "<script>alert(1)</script>"},
		{"a picture that fails", `"><img src=x onerror=alert(1)>`},
		{"a script as address", "javascript:alert(1)"},
		{"an entity", "&lt;&#x3c;&amp;amp;"},
		{"XML that reads files", `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`},
		{"a shell", "$(touch /tmp/x)`id`;|| sleep 1"},
		{"a variable", "$HOME ${HOME} %USERPROFILE%"},
		{"a format", "%s%s%n%d%x%99999999d"},
		{"a template", "{{7*7}}"},
		{"a template that is open", "{{"},
		{"a template of a template", "{{ \"{{ 1 }}\" }}"},
		{"another template", "${jndi:ldap://127.0.0.1/x}#{7*7}<%= 7*7 %>"},
		{"Go's template", "{{.Foo.Bar.Call}}{{range .}}{{end}}"},
		{"a secret's name", "{{ secrets.nothing }}"},
		{"a path", "../../../../../../etc/passwd"},
		{"a path of Windows", `..\..\windows\win.ini`},
		{"a device", "/dev/null CON PRN AUX NUL COM1"},
		{"a file", "file:///etc/passwd"},
		{"a header", "x\r\nSet-Cookie: a=b"},
		{"LDAP", "*)(uid=*))(|(uid=*"},
		{"a formula", "=cmd|' /C calc'!A0"},
		{"JSON", `{"a": [1, 2, {"b": null}]}`},
		{"half of JSON", `{"a":`},
		{"Markdown", "[a](javascript:alert(1)) <http://x> *b* `c`"},
		{"a mention", "@everyone <!channel> <@U123>"},
		{"a zone in a cron", "CRON_TZ=Europe/Madrid 0 9 * * *"},
		{"an address inside", "http://169.254.169.254/latest/meta-data/"},
		{"an e-mail", "a\"b@example.org, c@example.org"},
		{"a UUID that is zero", "00000000-0000-0000-0000-000000000000"},
		{"an instant before all", "0001-01-01T00:00:00Z"},
		{"an instant after all", "9999-12-31T23:59:59Z"},
		{"an instant in a leap second", "2016-12-31T23:59:60Z"},

		// Sizes.
		{"255", strings.Repeat("a", 255)},
		{"256", strings.Repeat("a", 256)},
		{"65,536", strings.Repeat("a", 65_536)},
		{"much of four bytes", strings.Repeat("😀", 20_000)},
	}
}

// Values are JSON values that stand where another kind was meant, or at the edge of what fits.
func Values() []Text {
	return []Text{
		{"null", `null`},
		{"true", `true`},
		{"zero", `0`},
		{"minus one", `-1`},
		{"a fraction", `1.5`},
		{"2^31", `2147483648`},
		{"2^53+1", `9007199254740993`},
		{"2^63", `9223372036854775808`},
		{"large", `1e308`},
		{"too large", `1e400`},
		{"small", `1e-308`},
		{"a number as text", `"5"`},
		{"an empty text", `""`},
		{"a text", `"x"`},
		{"a list", `[]`},
		{"a list of null", `[null]`},
		{"a long list", "[" + strings.Repeat("1,", 9_999) + "1]"},
		{"an object", `{}`},
		{"an object of anything", `{"a": {"b": [1, "2", null]}}`},
		{"an object with many keys", manyKeys(2_000)},
		{"NUL", `"a\u0000b"`},
		{"a lone surrogate", `"\ud800"`},
		{"deep", strings.Repeat("[", 60) + strings.Repeat("]", 60)},
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"k` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + `":1`)
	}
	b.WriteByte('}')
	return b.String()
}
