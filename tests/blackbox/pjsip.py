"""PJSIP without a sound card, by its Python package: says a tone from a file, records what it hears.

It has the words of baresip.py where it can do the same. The package is no distribution's; `make needs-test` puts it
into target/pjsip, and where it is not, the cases say so and are skipped.
"""

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time

import audio
import trial

PACKAGE = trial.ROOT / "target" / "pjsip"


class Pjsip:
    """One device, registered as `name` if it has a password."""

    digest, ways = ["SHA-256", "MD5"], ["4733", "info"]

    def __init__(self, run, name, server, password=None, hertz=1000, answers=False, transport="udp",
                 keys="4733"):
        search = there()
        self.name, self.told, self.recording = name, [], run.folder / f"{name}-heard.wav"
        audio.write_wav(run.folder / f"{name}-tone.wav", audio.tone(hertz, 60))
        settings = {"name": name, "password": password, "answers": answers, "transport": transport, "keys": keys,
                    "place": f"127.0.0.1:{server.port(transport)};transport={transport}", "rtp": trial.free_range(20),
                    "tone": str(run.folder / f"{name}-tone.wav"), "recording": str(self.recording),
                    "log": str(run.folder / f"pjsip-{name}.log")}
        with open(run.folder / f"pjsip-{name}.errors.log", "wb") as errors:
            self.program = subprocess.Popen([sys.executable, trial.HERE / "pjsip_device.py"], cwd=run.folder, text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            env={**os.environ, "PYTHONPATH": search})
        run.closing.callback(trial.end, self.program)
        run.closing.callback(self.quit)
        threading.Thread(target=self.listen_to_it, daemon=True).start()
        self.write(settings)
        if password:
            self.wait_for(event="registered", status=200)

    def listen_to_it(self):
        for line in self.program.stdout:
            if line.startswith("{"):
                self.told.append(json.loads(line))

    def write(self, what):
        self.program.stdin.write(json.dumps(what) + "\n")
        self.program.stdin.flush()

    def wait_for(self, timeout=10, count=1, **wanted):
        """Waits until it has told so many events that have all of this."""
        def seen():
            assert self.program.poll() is None, f"PJSIP {self.name} ended with {self.program.returncode}; told {self.told}"
            return sum(wanted.items() <= event.items() for event in list(self.told)) >= count
        trial.wait_for(seen, timeout, f"PJSIP {self.name} did not tell {wanted} within {timeout} s; told {self.told}")

    def order(self, do, **what):
        self.write({"do": do, **what})

    def dial(self, user):
        self.order("dial", user=user)

    def established(self, timeout=10, count=1):
        self.wait_for(timeout, count, event="state", state="CONFIRMED")

    def hang_up(self):
        self.order("hang_up")

    def hold(self):
        self.order("hold")

    def resume(self):
        self.order("resume")

    def press(self, keys):
        for key in keys:
            self.order("press", key=key)
            self.listen(0.5)

    def transfer(self, user):
        self.order("transfer", user=user)

    def transfer_to_other(self):
        """The first call's party is handed to that of the second."""
        self.order("transfer_to_other")

    def listen(self, seconds):
        time.sleep(seconds)

    def heard(self):
        assert self.recording.exists(), f"PJSIP {self.name} recorded nothing"
        return audio.read_wav(self.recording)

    def quit(self):
        try:
            self.program.stdin.close()
            self.program.wait(3)
        except (OSError, subprocess.TimeoutExpired):
            pass  # it is ended by its id afterwards


def there():
    """Where Python finds PJSIP, as PYTHONPATH; otherwise the case is skipped."""
    if (PACKAGE / "pjsua2").is_dir() or any(PACKAGE.glob("pjsua2.py")):
        return str(PACKAGE)
    if importlib.util.find_spec("pjsua2"):
        return ""
    raise trial.Skipped("there is no PJSIP for this Python: no Debian package has it, and the one of PyPI "
                        "(tests/blackbox/requirements.txt) is not in target/pjsip")
