"""Firefox, led by its own protocol, Marionette: lengths and JSON by TCP. It looks for nobody by loopback, so its page is in a house
(house.py). Without it the cases say so and are skipped."""

import json
import os
import shutil
import socket

import browser
import trial

# Of this machine's own, and with nobody at a screen.
PREFERENCES = {
    # The microphone is a tone, which nothing takes for noise, and nobody has to allow it or press anything first.
    "media.navigator.permission.disabled": True, "media.navigator.streams.fake": True, "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0, "media.getusermedia.audio.processing.noise.enabled": False,
    "media.getusermedia.audio.processing.aec.enabled": False, "media.getusermedia.audio.processing.agc.enabled": False,
    # Nobody else is asked for anything.
    "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False, "app.update.enabled": False,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
    "browser.safebrowsing.update.enabled": False, "services.settings.server": "data:,#remote-settings-dummy/v1"}


class Firefox(browser.Browser):
    NAME = "Firefox"
    socket = None

    def start(self, run, mouth, hosts):
        """`mouth` is the tone of its microphone, `hosts` is a name and its address; of certificates nothing is asked."""
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        if not program:
            raise trial.Skipped("firefox is not installed: apt-get install firefox-esr")
        port, profile = trial.free_port(), self.folder / "profile"
        profile.mkdir()
        more = {"marionette.port": port, "media.navigator.audio.fake_frequency": mouth,
                "network.dns.forceResolve": next(iter(hosts.values()))}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in {**PREFERENCES, **more}.items()]
        (profile / "user.js").write_text("\n".join(lines) + "\n")
        sound = loudspeaker(run, self.folder)
        with self.where():
            run.run_beside("firefox.log", [program, "--headless", "--no-remote", "--marionette", "--profile", profile],
                           env={**os.environ, "PULSE_SERVER": f"unix:{sound}"})
        trial.wait_for(lambda: self.connects(port), 60, "Firefox is not ready within 60 s")
        self.ask("WebDriver:NewSession", {"acceptInsecureCerts": True, "timeouts": {"script": 15_000}})

    def connects(self, port):
        try:
            with self.where():
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            return False
        self.file = self.socket.makefile("rb")
        self.next()
        return True

    def next(self):
        """One packet: its length in digits, a colon, and so much JSON."""
        length = b""
        while (byte := self.file.read(1)) != b":":
            assert byte, "Firefox has gone"
            length += byte
        return json.loads(self.file.read(int(length)))

    def ask(self, command, parameters):
        packet = json.dumps([0, 1, command, parameters])
        self.socket.sendall(f"{len(packet)}:{packet}".encode())
        _answer, _number, error, result = self.next()
        assert error is None, f"Firefox: {error}"
        return result and result.get("value")

    def goes_to(self, url):
        self.ask("WebDriver:Navigate", {"url": url})

    def run(self, how, script):
        """In the page itself: Marionette's own place knows nothing that a page has declared by `let` and `const`."""
        assert how == "sync"
        in_page = f"return window.eval({json.dumps('(() => {' + script + '})()')});"
        return self.ask("WebDriver:ExecuteScript", {"script": in_page, "args": [], "sandbox": None})

    def loads_anew(self):
        self.ask("WebDriver:Refresh", {})

    def close(self):
        if self.socket:
            self.socket.close()


def loudspeaker(run, folder):
    """Where a server of sounds listens that plays to nobody: without one a page of Firefox has no clock to hear by."""
    if not shutil.which("pulseaudio"):
        raise trial.Skipped("pulseaudio is not installed: apt-get install pulseaudio")
    at = folder / "sound"
    run.run_beside("pulseaudio.log", ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm",
                                      "-L", "module-null-sink", "-L", f"module-native-protocol-unix auth-anonymous=1 socket={at}"],
                   env={**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)})
    trial.wait_for(at.exists, 10, "pulseaudio does not listen within 10 s")
    return at
