"""demo_check.py SOURCE_DIR BIN_DIR finish|interrupt: the demo as a person runs it.

finish: its report says that all held.
interrupt: Ctrl-C while it starts, while tasks run and while it ends: each time exit 130, and
nothing that it started is left.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 150
MOMENTS = ["1. four validators", "10 of 100 tasks done", "100 of 100 tasks done"]


def demo(source, programs, folder, **pipes):
    environment = dict(os.environ, TALLY_BIN=programs, TMPDIR=folder)
    return subprocess.Popen([sys.executable, f"{source}/tools/lib/demo.py", "--json"],
                            env=environment, text=True, start_new_session=True, **pipes)


def left_behind(folder):
    """Processes whose command line names the demo's folder; every one of its programs does."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if folder.encode() in words:
            found.append(f"{entry.name}: {words.replace(bytes(1), b' ').decode()}")
    return found


def finish(source, programs, folder):
    process = demo(source, programs, folder, stdout=subprocess.PIPE)
    output, _ = process.communicate(timeout=PATIENCE)
    report = json.loads(output)
    assert process.returncode == 0, f"exit {process.returncode}: {output}"
    expected = {"ok": True, "tasks_done": 100, "extrinsics": 2, "balances_match": True}
    for name, value in expected.items():
        assert report[name] == value, f"expected {name} {value}, got {report[name]}"
    assert report["tasks_checked"] > 0 and report["channel_versions"] >= 100, report
    assert not left_behind(folder), left_behind(folder)
    assert not list(Path(folder).iterdir()), "the demo left its folder"


def interrupt(source, programs, folder, moment):
    process = demo(source, programs, folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = []
    for line in process.stderr:
        said.append(line)
        if moment in line:
            process.send_signal(signal.SIGINT)
            break
    said += process.stderr.readlines()
    code = process.wait(PATIENCE)
    assert code == 130, f"at '{moment}': expected exit 130, got {code}:\n{''.join(said)}"
    deadline = time.monotonic() + PATIENCE
    while left_behind(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_behind(folder), f"at '{moment}': {left_behind(folder)}"
    assert "interrupted" in "".join(said), said


def main():
    source, programs, what = sys.argv[1:]
    for moment in MOMENTS if what == "interrupt" else [None]:
        with tempfile.TemporaryDirectory(prefix="tally-demo-check-") as folder:
            if moment:
                interrupt(source, programs, folder, moment)
                print(f"ok: interrupted at '{moment}'")
            else:
                finish(source, programs, folder)
                print("ok: the demo's report holds")


if __name__ == "__main__":
    main()
