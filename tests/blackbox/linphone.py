"""Linphone's console client, `linphonec`, without a sound card: says a tone from a file, records what it hears.

It has the words of baresip.py where it can do the same: `dial`, `established`, `hold`, `resume`, `press`, `transfer`.
"""

import contextlib
import os
import pty
import re
import subprocess
import threading
import time

import audio
import trial


class Linphone:
    """One device, registered as `name` if it has a password."""

    digest, ways = ["SHA-256", "MD5"], ["4733", "info"]

    def __init__(self, run, name, server, password=None, hertz=1000, answers=False, transport="udp",
                 keys="4733", encrypts=None):
        trial.need("linphonec", "linphone-cli")
        self.folder, self.name, self.server = run.folder / name, name, server
        self.transport, self.recording = transport, self.folder / "heard.wav"
        (self.folder / ".local/share/linphone").mkdir(parents=True)
        audio.write_wav(self.folder / "tone.wav", audio.tone(hertz, 60))
        self.write_configuration(run, password, keys, encrypts)
        self.log, self.debug = run.folder / f"linphone-{name}.log", run.folder / f"linphone-{name}.debug"
        command = ["linphonec", "-S", "-c", self.folder / "linphonerc", "-d", "3", "-l", self.debug]
        # It says what happens only to a terminal.
        self.keyboard, terminal = pty.openpty()
        self.program = subprocess.Popen([str(word) for word in command + (["-a"] if answers else [])],
                                        stdin=terminal, stdout=terminal, stderr=terminal, cwd=self.folder,
                                        env={**os.environ, "HOME": str(self.folder), "TERM": "dumb"})
        os.close(terminal)
        threading.Thread(target=self.keep_what_it_says, daemon=True).start()
        run.closing.callback(trial.end, self.program)
        run.closing.callback(self.quit)
        for line in ("soundcard use files", f"play {self.folder}/tone.wav", f"record {self.recording}"):
            self.say(line)
        if password:
            self.told(r"to \[LinphoneRegistrationOk\]", 15)

    def write_configuration(self, run, password, keys, encrypts):
        """Only one transport and only G.711; nothing is sent but to the server."""
        at = lambda kind: trial.free_port() if kind == self.transport else 0
        low = trial.free_range(20)
        lines = ["[sip]", f"sip_port={at('udp')}", f"sip_tcp_port={at('tcp')}", f"sip_tls_port={at('tls')}", "guess_hostname=0",
                 "use_ipv6=0", "default_proxy=0", f"root_ca={run.folder}/tls.pem",
                 "verify_server_cn=0", f"use_info={int(keys == 'info')}", f"use_rfc2833={int(keys == '4733')}", "[rtp]", f"audio_rtp_port={low}-{low + 19}",
                 "[net]", "firewall_policy=0", "[sound]", "echocancellation=0", "[misc]", "hide_account_manager=1"]
        for at, (codec, rate) in enumerate((("PCMA", 8000), ("PCMU", 8000))):
            lines += [f"[audio_codec_{at}]", f"mime={codec}", f"rate={rate}", "channels=1", "enabled=1"]
        registers = int(password is not None)
        lines += ["[proxy_0]", f"reg_proxy=<sip:{self.place()}>", f"reg_route=<sip:{self.place()};lr>",
                  f"reg_identity=<sip:{self.name}@127.0.0.1>", "reg_expires=120", f"reg_sendregister={registers}",
                  "publish=0", "dial_escape_plus=0"]
        if encrypts:
            at = lines.index("[rtp]")
            lines[at:at] = ["media_encryption=srtp", f"media_encryption_mandatory={int(encrypts == 'required')}"]
        if password:
            lines += ["[auth_info_0]", f"username={self.name}", f"passwd={password}", "realm=blackbox"]
        (self.folder / "linphonerc").write_text("\n".join(lines) + "\n")

    def keep_what_it_says(self):
        with open(self.log, "wb", buffering=0) as log, contextlib.suppress(OSError):
            while data := os.read(self.keyboard, 4096):
                log.write(data)

    def place(self):
        return f"127.0.0.1:{self.server.port(self.transport)};transport={self.transport}"

    def say(self, line):
        os.write(self.keyboard, line.encode() + b"\n")

    def told(self, pattern, timeout=10, count=1):
        """Waits until its log has this so many times."""
        def there():
            assert self.program.poll() is None, f"linphonec ended: {trial.tail(self.log)}"
            said = self.debug.read_text(errors="replace") if self.debug.exists() else ""
            return len(re.findall(pattern, said)) >= count
        trial.wait_for(there, timeout, f"Linphone {self.name} did not say {pattern!r} within {timeout} s")

    def dial(self, user):
        self.say(f"call sip:{user}@127.0.0.1")

    def established(self, timeout=10, count=1):
        self.told(r"to LinphoneCallStreamsRunning", timeout, count)

    def hang_up(self):
        self.say("terminate all")

    def hold(self):
        self.say("pause")

    def resume(self):
        self.say("resume 1")

    def press(self, keys):
        for key in keys:
            self.say(key)
            self.listen(0.5)

    def transfer(self, user):
        self.say(f"transfer 1 sip:{user}@127.0.0.1")

    def transfer_to_other(self):
        """The first call's party is handed to that of the second."""
        self.say("transfer 1 --to-call 2")

    def listen(self, seconds):
        time.sleep(seconds)

    def heard(self):
        assert self.recording.exists(), f"Linphone {self.name} recorded nothing"
        return audio.read_wav(self.recording)

    def quit(self):
        try:
            self.say("quit")
            self.program.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            pass  # it is ended by its id afterwards
