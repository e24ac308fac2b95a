package schedule

import (
	"bufio"
	"os"
	"runtime"
	"strings"
	"time"
	_ "time/tzdata" // zones work on a machine that has no zone files
)

// TZDataOK tells whether the zone data in use is new enough: Paraguay stopped changing its clocks in 2024. A host's
// own old copy wins over the embedded one, so this is worth a warning at start.
func TZDataOK() bool {
	zone, err := time.LoadLocation("America/Asuncion")
	if err != nil {
		return false
	}
	_, offset := time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC).In(zone).Zone()
	return offset == -3*60*60
}

// TZDataVersion names the zone data in use, so that a change can be noticed: the host's release ("2025b") where it
// says one, else the Go release whose copy is embedded.
func TZDataVersion() string {
	for _, path := range []string{"/usr/share/zoneinfo/tzdata.zi", "/usr/share/zoneinfo/+VERSION"} {
		if version := firstLine(path); version != "" {
			return strings.TrimPrefix(version, "# version ")
		}
	}
	return runtime.Version()
}

func firstLine(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "" // this host has none
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan()
	return strings.TrimSpace(lines.Text())
}
