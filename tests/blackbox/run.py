#!/usr/bin/env python3
"""Black-box tests: a running `cornetta serve` against programs that are not ours.

    python3 tests/blackbox/run.py --cornetta target/release/cornetta

README.md says what it needs. Everything happens on 127.0.0.1 or in a network of its own, on free ports, in a temporary folder.
Exit status: 0 all passed, 1 some failed, 2 nothing could be tested.
"""

import argparse
import concurrent.futures
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from xml.sax.saxutils import quoteattr

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import trial  # noqa: E402
from cases import (  # noqa: E402, F401
    audio_path, b2bua, browsers, codecs, gruus, helpdesk, hostile, interop, ipv6, leaving, libraries, log, looking_up, moving, nat, recordings, registering, requests, routes, secured, seeing, sessions, signed,
    sipp_phone, strangers)


def main():
    arguments = parse()
    wanted = arguments.only.lower()
    chosen = [case for case in trial.CASES if wanted in case.name.lower() or wanted == case.file]
    if arguments.list:
        print("\n".join(case.name for case in chosen))
        return 0
    if not Path(arguments.cornetta).is_file():
        print(f"{arguments.cornetta}: no such program; build it with `cargo build --release`", file=sys.stderr)
        return 2
    if not chosen:
        print(f"no case has {arguments.only!r} in its name; see --list", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="cornetta-blackbox-"))
    began = time.monotonic()
    chosen.sort(key=lambda case: -case.seconds)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = [pool.submit(run, case, arguments.cornetta, folder / f"{at:02}") for at, case in enumerate(chosen)]
        results = [tell(done.result()) for done in concurrent.futures.as_completed(runs)]
    failed = sum(problem is not None for _, _, problem, _, _ in results)
    skipped = sum(reason is not None for *_, reason in results)
    if arguments.junit:
        write_junit(arguments.junit, results)
    if failed or arguments.keep:
        print(f"what the programs wrote is in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"{len(results) - failed - skipped} passed, {skipped} skipped, {failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cornetta", default="target/release/cornetta", help="the program to test: %(default)s")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with this in their name, or of this file of cases/, without .py")
    parser.add_argument("--jobs", type=int, default=4, help="cases at a time: %(default)s")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML too")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs even if all passed")
    parser.add_argument("--list", action="store_true", help="print the cases' names and end")
    return parser.parse_args()


def run(case, program, folder):
    """Returns (name, seconds, what went wrong, logs, why it was skipped)."""
    began = time.monotonic()
    problem, logs, skipped = None, [], None
    try:
        with trial.Trial(program, folder) as one:
            case.run(one)
    except trial.Skipped as reason:
        skipped = str(reason)
    except AssertionError as error:
        problem = f"{error or 'an assertion failed'}\n  {place(error)}"
    except Exception:  # a fault of the test itself is a failure too
        problem = traceback.format_exc()
    if problem is not None:
        logs = trial.logs(folder)
    return case.name, time.monotonic() - began, problem, logs, skipped


def place(error):
    """Where in the cases it went wrong."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "cases" in Path(frame.filename).parts]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.line}" for frame in reversed(frames))


def tell(result):
    name, seconds, problem, logs, skipped = result
    verdict = "skip" if skipped else "ok  " if problem is None else "FAIL"
    print(f"{verdict} {seconds:5.1f} s  {name}{': ' + skipped if skipped else ''}", flush=True)
    if problem is not None:
        print("    " + problem.replace("\n", "\n    "))
        for file, text in logs:
            print(f"    ---- the end of {file}\n      " + text.replace("\n", "\n      "), flush=True)
    return result


def write_junit(path, results):
    failed = sum(problem is not None for _, _, problem, _, _ in results)
    lines = [f'<testsuite name="blackbox" tests="{len(results)}" failures="{failed}">']
    for name, seconds, problem, _, skipped in results:
        inside = f"<failure message={quoteattr(problem)}/>" if problem else ""
        inside += f"<skipped message={quoteattr(skipped)}/>" if skipped else ""
        lines.append(f'<testcase name={quoteattr(name)} time="{seconds:.1f}">{inside}</testcase>')
    Path(path).write_text("\n".join([*lines, "</testsuite>", ""]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
