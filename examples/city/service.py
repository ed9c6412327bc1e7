#!/usr/bin/env python3
"""What the look-ups of ivr-scripts/city ask: a service of a city that does not exist, in plain Python.

    python3 examples/city/service.py [--listen 127.0.0.1:8090] [--today 2026-11-23]

    GET /requests/NUMBER      {"status": "in_progress", "since": "2026-11-20"}
    GET /collections/STREET   {"date": "2026-11-24", "waste": "paper"}
    GET /offices/OFFICE       {"date": "2026-11-24", "from": "09:00", "to": "13:00"}

Whatever is not there is answered 404. Put your own systems behind the same three answers, and the script need not change.
"""

import argparse
import datetime
import http.server
import json

# How far each request has come, and since how many days.
REQUESTS = {
    "20260001": ("received", 1),
    "20260002": ("in_progress", 3),
    "20260003": ("documents", 8),
    "20260004": ("done", 15),
    "20260005": ("rejected", 30),
}

# What is collected on which weekday (0 is Monday), by the first digit of a street's code: a district.
DISTRICTS = {
    "1": {0: "organic", 1: "paper", 2: "plastic", 3: "organic", 4: "residual"},
    "2": {0: "residual", 2: "organic", 3: "glass", 5: "organic"},
    "3": {1: "organic", 4: "paper"},
}

# When an office is open, by weekday.
OFFICES = {
    "registry": {day: ("08:30", "13:00") for day in range(6)},
    "taxes": {0: ("09:00", "12:30"), 2: ("14:30", "17:00")},
    "social": {1: ("09:00", "12:00"), 3: ("09:00", "12:00")},
    "building": {2: ("10:00", "13:15")},
}


def answer(path, today):
    """What is known at this path, or None."""
    kind, _, name = path.strip("/").partition("/")
    if kind == "requests":
        return request(name, today)
    if kind == "collections":
        return collection(name, today)
    if kind == "offices":
        return opening(name, today)
    return None


def request(number, today):
    if number not in REQUESTS:
        return None
    status, days = REQUESTS[number]
    return {"status": status, "since": (today - datetime.timedelta(days)).isoformat()}


def collection(street, today):
    week = DISTRICTS.get(street[:1]) if len(street) == 4 and street.isdigit() else None
    found = next_in(week, today)
    return found and {"date": found[0].isoformat(), "waste": found[1]}


def opening(office, today):
    found = next_in(OFFICES.get(office), today)
    return found and {"date": found[0].isoformat(), "from": found[1][0], "to": found[1][1]}


def next_in(week, today):
    """The first day from tomorrow on that the week has something for."""
    days = (today + datetime.timedelta(ahead) for ahead in range(1, 8))
    return next(((day, week[day.weekday()]) for day in days if day.weekday() in week), None) if week else None


def handler(today):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            found = answer(self.path, today or datetime.date.today())
            body = json.dumps(found or {"error": "not there"}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main():
    parser = argparse.ArgumentParser(description="What the look-ups of ivr-scripts/city ask.")
    parser.add_argument("--listen", default="127.0.0.1:8090")
    parser.add_argument("--today", type=datetime.date.fromisoformat, help="instead of the clock's day")
    arguments = parser.parse_args()
    host, _, port = arguments.listen.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), handler(arguments.today))
    print("listening on {}:{}".format(*server.server_address[:2]), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
