#!/bin/sh
# Prints the path of a Chromium to test with; fails when there is none. ORQ_CHROMIUM names one to use.
if [ -n "${ORQ_CHROMIUM:-}" ]; then
  [ -x "$ORQ_CHROMIUM" ] && echo "$ORQ_CHROMIUM"
  exit
fi
for name in chromium chromium-browser google-chrome google-chrome-stable \
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' /Applications/Chromium.app/Contents/MacOS/Chromium; do
  if command -v "$name"; then exit 0; fi
done
exit 1
