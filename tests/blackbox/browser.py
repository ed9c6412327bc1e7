"""A browser without a screen, with one page, whose files are in a folder of its own. chromium.py and firefox.py lead theirs."""

import contextlib
import functools
import http.server
import threading

import trial


class Browser:
    """What every browser does; `start` is each one's own. What is done within `where` is done on the browser's host."""

    def __init__(self, run, files, where=contextlib.nullcontext, **options):
        self.where = where
        self.folder = run.folder / f"page{trial.free_port()}"
        self.folder.mkdir()
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.start(run, **options)
        with where():
            site = serve(run, self.folder)
        self.goes_to(f"{site}/page.html")

    def says(self, expression):
        """What an expression is worth in the page."""
        return self.run("sync", f"return {expression};")


def serve(run, folder):
    """A page of this machine's own is trusted with its microphone."""
    served = functools.partial(Files, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run.closing.callback(server.server_close)
    run.closing.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        """Says nothing of who reads what."""
