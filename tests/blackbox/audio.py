"""Tones, ears and mouths: G.711 A-law over RTP, and what is heard in it. No library."""

import math
import select
import socket
import struct
import threading
import time
import wave

RATE = 8000
FRAME = 160  # 20 ms
KEYS = {key: (low, high) for low, row in ((697, "123"), (770, "456"), (852, "789"), (941, "*0#"))
        for high, key in zip((1209, 1336, 1477), row)}  # Hz (ITU-T Q.23)


def tone(hertz, seconds, level=0.3, rate=RATE):
    """Samples of -1 to 1."""
    return [level * math.sin(2 * math.pi * hertz * n / rate) for n in range(round(seconds * rate))]


def key(name, seconds):
    """The two tones of a key, as samples."""
    low, high = KEYS[name]
    return [one + other for one, other in zip(tone(low, seconds), tone(high, seconds))]


def write_wav(path, samples, rate=RATE, channels=1):
    """The same in all channels."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels), out.setsampwidth(2), out.setframerate(rate)
        numbers = [round(32767 * sample) for sample in samples for _channel in range(channels)]
        out.writeframes(struct.pack(f"<{len(numbers)}h", *numbers))


def read_wav(path):
    """The first channel of a 16-bit file, at 8 000 samples a second: of a higher rate each so manieth, which does for tones below
    4 000 Hz. A recorder that still writes leaves lengths open, or all of the 44 bytes of the head: read what is there."""
    data = open(path, "rb").read()
    channels, rate = struct.unpack_from("<HI", data, 22) if data.startswith(b"RIFF") else (1, RATE)
    body = data[max(data.find(b"data", 0, 1000) + 8, 44):]
    samples = struct.unpack(f"<{len(body) // 2}h", body[: len(body) // 2 * 2])
    assert rate % RATE == 0, f"{path} has {rate} samples a second"
    return [sample / 32768 for sample in samples[:: channels * (rate // RATE)]]


def share(samples, hertz):
    """How much of the energy is at this frequency, 0 to 1 (Goertzel). 0 if there is silence."""
    energy = sum(sample * sample for sample in samples)
    if not samples or energy / len(samples) < 1e-6:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = last * last + before * before - turn * last * before
    return min(1.0, 2 * power / (len(samples) * energy))


def heard_seconds(samples, hertz, least=0.5):
    """For how many seconds a tone is the most of what is heard."""
    return sum(share(part, hertz) > least for part in parts(samples, 0.1)) / 10


def keys_heard(samples):
    """The keys whose two tones are heard together for 40 ms, whatever else is heard: the least that a key lasts (ITU-T Q.24)."""
    heard = set()
    for part in parts(samples, 0.04):
        shares = {hertz: share(part, hertz) for tones in KEYS.values() for hertz in tones}
        heard |= {name for name, tones in KEYS.items() if all(shares[hertz] > 0.05 for hertz in tones)}
    return heard


def parts(samples, seconds):
    size = round(RATE * seconds)
    return [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]


def level(samples):
    return math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))


def alaw_decode(byte):
    byte ^= 0x55
    exponent, mantissa = byte >> 4 & 7, byte & 15
    value = (mantissa << 4) + 8 if exponent == 0 else (mantissa << 4) + 0x108 << exponent - 1
    return (value if byte & 0x80 else -value) / 32768


DECODED = [alaw_decode(byte) for byte in range(256)]
NEAREST = sorted((value, byte) for byte, value in enumerate(DECODED))


def alaw_encode(sample):
    return min(NEAREST, key=lambda pair: abs(pair[0] - sample))[1]


def listen(seconds, *talkers):
    """What each of them hears in the next so many seconds. Speech takes its time: nobody can be asked sooner."""
    since = time.monotonic()
    time.sleep(seconds)
    heard = [talker.samples(since) for talker in talkers]
    return heard if len(heard) > 1 else heard[0]


class Packet:
    def __init__(self, data, source):
        self.at, self.source = time.monotonic(), source
        self.kind, self.marker = data[1] & 0x7F, bool(data[1] & 0x80)
        self.sequence, self.timestamp, self.ssrc = struct.unpack_from("!HII", data, 2)
        self.payload = data[12:]

    def samples(self):
        return [DECODED[byte] for byte in self.payload] if self.kind == 8 else []


class Talker(threading.Thread):
    """One RTP socket: says a tone to `to` every 20 ms while told to, and keeps all that it hears."""

    def __init__(self, hertz=None):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.to, self.heard, self.said, self.speaking, self.ended = None, [], 0, hertz is not None, False
        # One period of any whole number of 50 Hz fits into a frame, so that one frame repeats without a click.
        assert hertz is None or hertz % 50 == 0
        self.frame = bytes(alaw_encode(sample) for sample in tone(hertz or 50, FRAME / RATE))
        self.start()

    def run(self):
        sequence = timestamp = 0
        ssrc, due = self.port << 8, time.monotonic()
        while not self.ended:
            if due <= time.monotonic():
                due += 0.02
                sequence, timestamp = sequence + 1 & 0xFFFF, timestamp + FRAME & 0xFFFFFFFF
                if self.to and self.speaking:
                    header = struct.pack("!BBHII", 0x80, 8, sequence, timestamp, ssrc)
                    self.socket.sendto(header + self.frame, self.to)
                    self.said += 1
            if select.select([self.socket], [], [], max(0, due - time.monotonic()))[0]:
                data, source = self.socket.recvfrom(2048)
                if len(data) > 12 and data[0] >> 6 == 2 and not 200 <= data[1] <= 207:
                    self.heard.append(Packet(data, source))

    def close(self):
        self.ended = True
        self.join()
        self.socket.close()

    def until_heard(self, hertz, timeout=5):
        """Waits until it hears this tone, and what came before is over."""
        self.until(lambda part: share(part, hertz) > 0.5, f"{hertz} Hz is not heard", timeout)

    def until_music(self, but_not, timeout=5):
        """Waits until it hears something, and not this tone."""
        self.until(lambda part: level(part) > 0.001 and share(part, but_not) < 0.1, "no music is heard", timeout)

    def until(self, wanted, otherwise, timeout):
        """Waits for a fifth of a second of which all tenths are as wanted."""
        end = time.monotonic() + timeout
        while True:
            last = parts(self.samples(time.monotonic() - 0.25), 0.1)
            if len(last) == 2 and all(map(wanted, last)):
                return
            assert time.monotonic() < end, f"{otherwise} within {timeout} s"
            time.sleep(0.02)

    def packets(self, since, until=math.inf):
        return [packet for packet in list(self.heard) if since <= packet.at <= until]

    def samples(self, since, until=math.inf):
        return [sample for packet in self.packets(since, until) for sample in packet.samples()]
