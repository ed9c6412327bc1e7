"""coturn, with the lines of docs/browsers.md, in which only addresses, files and the secret are put."""

import os
import shutil
import socket
import subprocess

import house
import trial
from softphone import of_the_guide

SECRET = "a-secret-of-the-relay"
NAME = "turn.example"


class Relay:
    """At an address of its own beside the exchange's, which is the only one that it leads to."""

    AT = "198.51.100.3"

    def __init__(self, t, media_address):
        house.place("world0", self.AT)
        files = trial.certificate(t.folder, self.AT)
        lines = of_the_guide("```conf\n")
        for old, new in (("external-ip=203.0.113.2", f"external-ip={self.AT}"), ("static-auth-secret=…", f"static-auth-secret={SECRET}"),
                         ("/etc/coturn/fullchain.pem", files["certificate"]), ("/etc/coturn/privkey.pem", files["key"]),
                         ("allowed-peer-ip=203.0.113.1", f"allowed-peer-ip={media_address}")):
            assert old in lines, f"the guide's coturn has no {old}"
            lines = lines.replace(old, new)
        config = t.folder / "turnserver.conf"
        config.write_text(lines + f"listening-ip={self.AT}\nrelay-ip={self.AT}\nlog-file=stdout\npidfile={t.folder}/turnserver.pid\n"
                          f"no-cli\nuserdb={t.folder}/turndb\n")
        self.program = t.run_beside("turnserver.log", ["turnserver", "-c", config])
        trial.wait_for(self.is_ready, 10, "coturn does not listen within 10 s")

    def is_ready(self):
        assert self.program.poll() is None, f"coturn ended:\n{trial.tail(self.program.log)}"
        with socket.socket() as probe:
            return probe.connect_ex((self.AT, 443)) == 0

    @staticmethod
    def pass_for_an_agent():
        """A name and its password, as the guide makes them."""
        done = subprocess.run(["sh", "-c", of_the_guide("```sh\n")], env={**os.environ, "SECRET": SECRET}, capture_output=True,
                              text=True, check=True)
        name, password = done.stdout.split()
        return name, password


def there():
    for program, package in (("turnserver", "coturn"), ("openssl", "openssl")):
        if not shutil.which(program):
            raise trial.Skipped(f"{program} is not installed: apt-get install {package}")
