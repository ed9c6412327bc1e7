"""An operator that signs statements about its callers (RFC 8224, RFC 8588), and the server of its certificate."""

import base64
import contextlib
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time

from trial import certificate, need


class Operator:
    """Keys and certificates in a folder: of an authority, and of an operator whom it speaks for."""

    def __init__(self, folder):
        need("openssl", "openssl")
        self.folder = folder
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *key, "-days", "60", "-subj", "/CN=authority", "-addext",
                     "basicConstraints=critical,CA:TRUE", "-keyout", "authority.key", "-out", "authority.pem")
        self.openssl("req", "-new", *key, "-subj", "/CN=operator", "-keyout", "operator.key", "-out", "operator.csr")
        (folder / "operator.ext").write_text("basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:operator.example\n")
        self.openssl("x509", "-req", "-in", "operator.csr", "-CA", "authority.pem", "-CAkey", "authority.key",
                     "-CAcreateserial", "-days", "30", "-extfile", "operator.ext", "-out", "operator.pem")
        self.authority = folder / "authority.pem"
        self.chain = (folder / "operator.pem").read_bytes() + self.authority.read_bytes()

    def signs(self, x5u, caller, called):
        """The Identity header field of a call that begins now: attestation A."""
        header = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": x5u}
        claims = {"attest": "A", "dest": {"tn": [called]}, "iat": int(time.time()), "orig": {"tn": caller},
                  "origid": "123e4567-e89b-12d3-a456-426655440000"}
        text = ".".join(encoded(json.dumps(part, separators=(",", ":"), sort_keys=True).encode()) for part in (header, claims))
        signature = self.openssl("dgst", "-sha256", "-sign", "operator.key", "-binary", given=text.encode())
        return f"Identity: {text}.{encoded(numbers_of(signature))};info=<{x5u}>;alg=ES256;ppt=\"shaken\"\r\n"

    def openssl(self, *words, given=None):
        return subprocess.run(["openssl", *words], cwd=self.folder, input=given, check=True, capture_output=True).stdout


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def numbers_of(der):
    """The two numbers of an ECDSA signature as JWS writes them (RFC 7518 §3.4): 32 bytes each."""
    numbers, at = [], 2
    while at < len(der):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big"))
        at += 2 + length
    return b"".join(number.to_bytes(32, "big") for number in numbers)


class CertificateServer:
    """HTTPS on loopback, where it gives the document to whoever asks for it, or keeps whoever asks waiting."""

    def __init__(self, folder, document, hangs=False):
        files = certificate(folder, "127.0.0.1")
        self.ca, self.asked = files["certificate"], []
        owner, self.over = self, threading.Event()

        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                owner.asked.append(self.path)
                if hangs:
                    owner.over.wait()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/pem-certificate-chain")
                self.send_header("Cache-Control", "max-age=600")
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files["certificate"], files["key"])
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.daemon_threads = True
        self.host = "127.0.0.1:%d" % self.server.server_address[1]
        self.x5u = f"https://{self.host}/operator.pem"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        with contextlib.suppress(OSError):
            self.server.socket.shutdown(socket.SHUT_RDWR)
        self.server.server_close()
