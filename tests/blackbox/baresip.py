"""baresip without a screen: registers, calls or answers by itself, plays a tone, records what it hears."""

import json
import os
import socket
import subprocess
import time

import audio
import trial

MODULES = ["aufile", "aubridge", "sndfile", "uuid"]
APPLICATIONS = ["account", "menu", "ctrl_tcp"]
PATHS = ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"]

# The module of each codec, how an account names it, and the sound that it takes: samples a second and channels.
CODECS = {"PCMA": ("g711", "PCMA/8000/1", 8000, 1), "G722": ("g722", "G722/16000/1", 16000, 1), "opus": ("opus", "opus/48000/2", 48000, 2)}
ENCRYPTIONS = {"optional": "srtp", "required": "srtp-mand"}


class Baresip:
    digest = ["MD5"]  # that of Debian 12 stops at a challenge that has SHA-256 beside MD5
    ways = ["4733"]  # it hears INFO, and sends none

    def __init__(self, run, name, server, password=None, hertz=1000, answers=False, transport="udp",
                 keys="4733", address="127.0.0.1", registers_every=60, folder=None, encrypts=None, codec="PCMA"):
        trial.need("baresip", "baresip")
        self.folder, self.name, self.server, self.keys = run.folder / (folder or name), name, server, keys
        self.recordings = self.folder / "recordings"
        self.recordings.mkdir(parents=True)
        self.control_port, self.buffer, self.seen, self.socket = trial.free_port(), b"", [], None
        codec_module, codec_name, rate, channels = CODECS[codec]
        audio.write_wav(self.folder / "tone.wav", audio.tone(hertz, 60, rate=rate), rate, channels)
        low, at = trial.free_range(40), trial.place(server.sip[0])
        self.write("config", [
            f"sip_listen {trial.place(address)}:{trial.free_port()}", *([f"sip_cafile {run.folder}/tls.pem"] if transport == "tls" else []), f"module_path {modules_path()}",
            f"audio_source aufile,{self.folder}/tone.wav", f"audio_player aubridge,{name}", "audio_buffer 20-160",
            f"rtp_ports {low}-{low + 39}", f"snd_path {self.recordings}",
            f"ctrl_tcp_listen 127.0.0.1:{self.control_port}",
            *(f"module {module}.so" for module in [codec_module] + MODULES + ["srtp"] * bool(encrypts)), *(f"module_app {module}.so" for module in APPLICATIONS)])
        registering = f";auth_user={name};auth_pass={password};regint={registers_every}" if password else ";regint=0"
        self.write("accounts", [
            f"<sip:{name}@{at};transport={transport}>"
            f";outbound=\"sip:{at}:{server.port(transport)};transport={transport}\"{registering}"
            f";answermode={'auto' if answers else 'manual'};audio_codecs={codec_name}{f';mediaenc={ENCRYPTIONS[encrypts]}' if encrypts else ''}"])
        self.write("contacts", [])
        self.program = run.run_beside(f"baresip-{folder or name}.log", ["baresip", "-6" if ":" in address else "-4", "-f", self.folder])
        self.connect()
        run.closing.callback(self.quit)

    def write(self, name, lines):
        (self.folder / name).write_text("\n".join(lines) + "\n")

    def connect(self):
        def connected():
            assert self.program.poll() is None, f"baresip ended: {trial.tail(self.program.log)}"
            try:
                self.socket = socket.create_connection(("127.0.0.1", self.control_port), 1)
            except OSError:
                return False
            return True
        trial.wait_for(connected, 10, "baresip does not listen for commands")
        self.socket.settimeout(0.1)

    def command(self, name, parameters=""):
        text = json.dumps({"command": name, "params": parameters}).encode()
        self.socket.sendall(b"%d:%s," % (len(text), text))

    def listen(self, seconds):
        """Takes what baresip tells for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.buffer += self.socket.recv(65535)
            except TimeoutError:
                continue
            while b":" in self.buffer:
                length, _, rest = self.buffer.partition(b":")
                if len(rest) <= int(length):
                    break
                self.seen.append(json.loads(rest[: int(length)]))
                self.buffer = rest[int(length) + 1 :]

    def wait_for(self, kind, timeout=10, count=1):
        """Waits for so many events such as CALL_ESTABLISHED."""
        def seen():
            self.listen(0.1)
            return len([event for event in self.seen if event.get("type") == kind]) >= count
        told = [event.get("type") for event in self.seen]
        return trial.wait_for(seen, timeout, f"baresip {self.name} did not tell {kind} within {timeout} s; told {told}")

    def dial(self, user):
        self.command("dial", f"sip:{user}@{trial.place(self.server.sip[0])}:{self.server.sip[1]}")

    def established(self, timeout=10, count=1):
        self.wait_for("CALL_ESTABLISHED", timeout, count)

    def hang_up(self):
        self.command("hangup")

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def transfer(self, user):
        self.command("transfer", f"sip:{user}@{trial.place(self.server.sip[0])}")

    def press(self, keys):
        """Each key for 200 ms; in-band as the sound of its tones, to be heard until the call ends."""
        for key in keys:
            if self.keys == "in-band":
                audio.write_wav(self.folder / "key.wav", audio.key(key, 10))
                self.command("ausrc", f"aufile,{self.folder}/key.wav")
                self.listen(0.5)
                continue
            self.command("sndcode", key)
            self.listen(0.2)
            self.command("sndcode", "")
            self.listen(0.2)

    def heard(self):
        """All that was heard in its last call, as samples."""
        recordings = sorted(self.recordings.glob("*dec.wav"))
        assert recordings, f"baresip {self.name} recorded nothing"
        return audio.read_wav(recordings[-1])

    def quit(self):
        try:
            self.command("quit")
            self.program.wait(3)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            pass  # it is ended by its id afterwards
        self.socket.close()


def modules_path():
    found = [path for path in PATHS if os.path.isdir(path)]
    assert found, f"baresip's modules are in none of {PATHS}: apt-get install baresip"
    return found[0]
