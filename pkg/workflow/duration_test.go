package workflow

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	wellFormed = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`) // what the API lets through
	onePart    = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)`)
	sizes      = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
)

// Whatever is typed is refused, or read as exactly what it says; and it is written in a way that reads the same.
func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{
		"90s", "1h30m", "250ms", "2d", "1.5d", "0.7d", ".5d", "1.2.3d", "1d1d", "-5s", "+5s", "0", "1e5d", "106751d23h47m16s", "106752d",
		"9999999999999999999999d", "0.000000000000000000001d", "1h2d3ms", "d", "5 m", "٣s", "1µs", "\x00",
		strings.Repeat("9", 10_000) + "d", "0." + strings.Repeat("0", 10_000) + "1d",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("%q is read as %s", text, time.Duration(d))
		}
		back, err := ParseDuration(d.String())
		if err != nil || back != d {
			t.Fatalf("%q is %s, written %s and read %s (%v)", text, time.Duration(d), d, time.Duration(back), err)
		}
		if !wellFormed.MatchString(text) {
			return
		}
		exact, parts := new(big.Rat), onePart.FindAllStringSubmatch(text, -1)
		for _, part := range parts {
			n, _ := new(big.Rat).SetString(part[1])
			exact.Add(exact, n.Mul(n, new(big.Rat).SetInt64(int64(sizes[part[2]]))))
		}
		// Each part may lose what is below a nanosecond.
		off := exact.Sub(exact, new(big.Rat).SetInt64(int64(d)))
		if off.Sign() < 0 || off.Cmp(new(big.Rat).SetInt64(int64(len(parts)))) > 0 {
			t.Fatalf("%q is read as %s, which is %s ns too little", text, time.Duration(d), off.FloatString(3))
		}
	})
}
