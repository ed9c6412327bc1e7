"""A page with a telephone in it, in a browser: of JsSIP with the very lines of docs/browsers.md, in which only the server's port and
the password are put; of SIP.js with a few lines of its own. The libraries are npm's; `make needs-test` puts them into target/npm, and where they are not, the cases say so and are skipped.
"""

import contextlib
import re

import chromium
import trial

LIBRARIES = trial.ROOT / "target" / "npm" / "pages.js"
GUIDE = trial.ROOT / "docs" / "browsers.md"
NAME = "pbx.example"

EARS = """
window.faults = [];
window.addEventListener("error", event => window.faults.push(String(event.message)));
window.addEventListener("unhandledrejection", event => window.faults.push(String(event.reason)));
// What the page's loudspeaker is given.
window.heard = () => {
  const stream = ear.srcObject;
  if (!stream || ear.paused) return null;
  if (window.heardOf !== stream) {
    window.heardOf = stream; window.audio = window.audio || new AudioContext();
    window.analyser = window.audio.createAnalyser(); window.analyser.fftSize = 8192; window.analyser.smoothingTimeConstant = 0;
    window.audio.createMediaStreamSource(stream).connect(window.analyser); }
  const bins = new Float32Array(window.analyser.frequencyBinCount); window.analyser.getFloatFrequencyData(bins);
  let best = 0; bins.forEach((level, at) => { if (level > bins[best]) best = at; });
  return {hertz: best * window.audio.sampleRate / window.analyser.fftSize, level: Math.max(bins[best], -999)}; };
"""

# The simplest of SIP.js, with the words that the guide gives to JsSIP's.
SIPJS = """
const ear = new Audio();
let ringing = false, hung = false;
const user = new SIP.Web.SimpleUser("wss://pbx.example:5443", {
  aor: "sip:anna@pbx.example", media: { remote: { audio: ear } },
  userAgentOptions: { authorizationUsername: "anna", authorizationPassword: "…" },
  delegate: { onCallReceived: () => { ringing = true; }, onCallHangup: () => { hung = true; } } });
const phone = {
  call: number => user.call(`sip:${number}@pbx.example`), answer: () => user.answer(), hold: () => user.hold(),
  resume: () => user.unhold(), mute: () => user.mute(), unmute: () => user.unmute(), press: key => user.sendDTMF(key),
  hangUp: () => user.hangup() };
user.connect().then(() => user.register());
"""


def of_the_guide(mark="```js\n"):
    """The lines of the guide's blocks of this kind, in their order."""
    blocks = re.findall(re.escape(mark) + r"(.*?)```", GUIDE.read_text(), re.S)
    assert blocks, f"{GUIDE} has no {mark!r}"
    return "".join(blocks)


def there():
    if not LIBRARIES.is_file():
        raise trial.Skipped("there is no JsSIP and no SIP.js: `make needs-test` brings them by npm into target/npm")


class Softphone:
    """Anna's page, registered, in a browser of this kind; what it says is a tone."""

    def __init__(self, run, server, hertz, password, script=None, kind=chromium.Chromium, where=contextlib.nullcontext):
        there()
        script = script or of_the_guide()
        for old, new in ((f"{NAME}:5443", f"{NAME}:{server.wss[1]}"), ("…", password)):
            assert old in script, f"there is no {old} in the page's script"
            script = script.replace(old, new)
        page = f'<!doctype html><meta charset="utf-8"><title>agent</title><script src="ears.js"></script><script src="{LIBRARIES.name}"></script><script src="page.js"></script>'
        files = {"page.html": page, "ears.js": EARS, "page.js": script, LIBRARIES.name: LIBRARIES.read_text()}
        self.browser = run.keep(kind(run, files, where, mouth=hertz, hosts={NAME: server.wss[0]}))

    def registered(self, server, count=1):
        server.happened("endpoint.registered", count, timeout=15)
        return self

    def does(self, words):
        """Presses one of the page's buttons."""
        self.run(f"phone.{words}")

    def run(self, script):
        self.browser.run("sync", f"{script}; return null;")

    def says(self, expression):
        return self.browser.says(expression)

    def loads_anew(self):
        self.browser.loads_anew()

    def until(self, expression, otherwise, timeout=10):
        trial.wait_for(lambda: self.says(expression), timeout, f"the page: {otherwise}; its faults: {self.says('faults')}")

    def heard(self):
        return self.says("window.heard()")

    def until_heard(self, hertz, timeout=10):
        hears = lambda: (now := self.heard()) and now["level"] > -60 and abs(now["hertz"] - hertz) < 25
        trial.wait_for(hears, timeout, f"the page does not hear {hertz} Hz within {timeout} s but {self.heard()}; its faults: {self.says('faults')}")
