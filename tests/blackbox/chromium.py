"""Chromium, led by WebDriver, and the media of a page in it: there SIP is spoken by page.py; the ears and the mouth, ICE, DTLS-SRTP
and the codecs are Chromium's. Without it the cases say so and are skipped."""

import contextlib
import json
import shutil
import urllib.error
import urllib.request

import audio
import browser
import trial

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
         "--disable-features=WebRtcHideLocalIpsWithMdns", "--autoplay-policy=no-user-gesture-required"]
# On this machine there is no other way to be found.
LOOPBACK = "--allow-loopback-in-peer-connection"

# `done` is called with what a step gives, or with {error}.
PAGE = """
window.step = (work, done) => work().then(done, error => done({error: String(error)}));
window.gathered = () => new Promise(done => {
  const ready = () => window.pc.iceGatheringState === "complete" && done(window.pc.localDescription.sdp);
  window.pc.onicegatheringstatechange = ready; ready(); });
window.begin = async hertz => {
  window.audio = new AudioContext();
  const mouth = window.audio.createOscillator(), out = window.audio.createMediaStreamDestination();
  mouth.frequency.value = hertz; mouth.connect(out); mouth.start();
  window.pc = new RTCPeerConnection();
  window.ear = window.audio.createAnalyser(); window.ear.fftSize = 8192;
  window.pc.ontrack = event => {
    const element = new Audio(); element.srcObject = event.streams[0] || new MediaStream([event.track]); element.muted = true;
    element.play(); window.element = element;
    window.audio.createMediaStreamSource(element.srcObject).connect(window.ear); };
  out.stream.getTracks().forEach(track => window.pc.addTrack(track, out.stream));
  return "ready"; };
window.heard = () => {
  const bins = new Float32Array(window.ear.frequencyBinCount); window.ear.getFloatFrequencyData(bins);
  let best = 0; bins.forEach((level, at) => { if (level > bins[best]) best = at; });
  return {hertz: best * window.audio.sampleRate / window.ear.fftSize, level: Math.max(bins[best], -999), state: window.pc.connectionState}; };
"""


class Chromium(browser.Browser):
    NAME = "Chromium"
    session = None

    def start(self, run, mouth=None, hosts=None):
        """`mouth` is the tone of its microphone, `hosts` are names and their addresses; of certificates it then asks nothing."""
        for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
            if not shutil.which(program):
                raise trial.Skipped(f"{program} is not installed: apt-get install {package}")
        with self.where():
            port = trial.free_port()
            run.run_beside("chromedriver.log", ["chromedriver", f"--port={port}", "--allowed-ips=127.0.0.1"])
        self.at = f"http://127.0.0.1:{port}"
        trial.wait_for(self.is_ready, 15, "chromedriver is not ready within 15 s")
        flags = [*FLAGS, f"--user-data-dir={self.folder / 'profile'}", *self.speaking(mouth), *self.trusting(hosts or {})]
        flags += [LOOPBACK] if self.where is contextlib.nullcontext else []
        options = {"binary": shutil.which("chromium"), "args": flags}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "timeouts": {"script": 15_000}}
        self.session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}}, timeout=60)["sessionId"]

    def speaking(self, hertz):
        """A tone in pieces: Chromium takes one that goes on for noise."""
        if hertz is None:
            return []
        file = self.folder / "mouth.wav"
        audio.write_wav(file, (audio.tone(hertz, 0.5, 0.5, 48_000) + [0.0] * 9600) * 5, rate=48_000)
        return [f"--use-file-for-fake-audio-capture={file}"]

    @staticmethod
    def trusting(hosts):
        rules = ",".join(f"MAP {name} {address}" for name, address in hosts.items())
        return [f"--host-resolver-rules={rules}", "--ignore-certificate-errors"] if rules else []

    def is_ready(self):
        try:
            return self.ask("GET", "/status")["ready"]
        except (OSError, urllib.error.URLError):
            return False

    def ask(self, method, path, body=None, timeout=30):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.at + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self.where(), urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"chromedriver: {error.read()[:600]!r}") from None

    def goes_to(self, url):
        self.ask("POST", f"/session/{self.session}/url", {"url": url})

    def run(self, how, script):
        return self.ask("POST", f"/session/{self.session}/execute/{how}", {"script": script, "args": []})

    def loads_anew(self):
        self.ask("POST", f"/session/{self.session}/refresh", {})

    def close(self):
        if self.session:
            self.ask("DELETE", f"/session/{self.session}")


class Media(Chromium):
    """As that of page.py."""

    def __init__(self, run, hertz):
        super().__init__(run, {"page.html": "<!doctype html><title>agent</title>"})
        self.run("sync", PAGE)
        self.does(f"window.begin({hertz})")

    def does(self, expression):
        done = self.run("async", f"const done = arguments[arguments.length - 1]; window.step(async () => await ({expression}), done);")
        assert not (isinstance(done, dict) and "error" in done), f"Chromium: {done['error']}"
        return done

    def offer(self, restart=False):
        asked = json.dumps({"iceRestart": restart})
        return self.does(f"(async () => {{ await pc.setLocalDescription(await pc.createOffer({asked})); return await gathered(); }})()")

    def answered(self, sdp):
        self.does(f"pc.setRemoteDescription({json.dumps({'type': 'answer', 'sdp': sdp})})")

    def answer(self, offer):
        return self.does(f"(async () => {{ await pc.setRemoteDescription({json.dumps({'type': 'offer', 'sdp': offer})}); "
                         "await pc.setLocalDescription(await pc.createAnswer()); return await gathered(); })()")

    def heard(self):
        return self.run("sync", "return window.heard();")

    def connected(self, timeout=10):
        trial.wait_for(lambda: self.heard()["state"] == "connected", timeout, f"Chromium's media: {self.heard()}")

    def until_heard(self, hertz, timeout=10):
        hears = lambda: (now := self.heard())["level"] > -60 and abs(now["hertz"] - hertz) < 25
        trial.wait_for(hears, timeout, f"Chromium does not hear {hertz} Hz within {timeout} s but {self.heard()}")
