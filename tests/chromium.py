"""Where the browser of the tests is: Debian's Chromium, of which the headless one is the fastest."""

import shutil

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
MISSING_CHROMIUM = "Chromium is missing. Install it (on Debian: apt install chromium-headless-shell)."
