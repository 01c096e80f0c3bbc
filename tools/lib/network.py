"""A Tallystick network on loopback: processes started, watched and stopped by their ids."""
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("TALLY_BIN", ROOT / "build/bin"))
VALIDATORS = ["//Alice", "//Bob", "//Charlie", "//Dave"]


class Failed(Exception):
    """Something that a person must read: what was expected, what came."""


def free_ports(count):
    """Ports nobody listens on; held open together so that no two are the same."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def run_json(*arguments, timeout=120):
    """Runs a program that prints one JSON value; Failed with its own words when it does not."""
    command = [str(a) for a in arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise Failed(f"{' '.join(command)}\n  expected JSON, got exit {done.returncode}: "
                     f"{done.stdout.strip()} {done.stderr.strip()}") from None
    if done.returncode != 0:
        error = answer.get("error", answer) if isinstance(answer, dict) else answer
        message = error.get("message", error) if isinstance(error, dict) else error
        raise Failed(f"{' '.join(command)}\n  failed (exit {done.returncode}): {message}")
    return answer


class Interruption:
    """Ctrl-C and termination: raised once, never while a process is being written down, and never
    while all of them are being stopped."""

    def __init__(self):
        self.asked = False
        self.held = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)

    def on_signal(self, *_):
        first, self.asked = not self.asked, True
        if first and not self.held:
            raise KeyboardInterrupt

    def hold(self):
        self.held = True

    def release(self):
        self.held = False
        if self.asked:
            raise KeyboardInterrupt


class Processes:
    """What was started, so that all of it is stopped, in reverse order, whatever happens."""

    def __init__(self, folder, interruption):
        self.folder = Path(folder)
        self.interruption = interruption
        self.started = []

    def run(self, name, arguments, **options):
        """Starts and writes down; nothing comes between the two."""
        self.interruption.hold()
        # A session of its own: Ctrl-C reaches only this script, which then stops them in order.
        process = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                                   start_new_session=True, **options)
        self.started.append((name, process))
        self.interruption.release()
        return process

    def start(self, name, *arguments):
        with open(self.folder / f"{name}.log", "ab") as log:
            return self.run(name, arguments, stdout=log, stderr=log)

    def start_piped(self, name, *arguments):
        """A program whose report is read and whose progress goes to our standard error."""
        return self.run(name, arguments, stdout=subprocess.PIPE, text=True)

    def check(self):
        for name, process in self.started:
            if process.poll() not in (None, 0):
                tail = (self.folder / f"{name}.log").read_text(errors="replace").strip()
                last = "\n    ".join(tail.split("\n")[-8:])
                raise Failed(f"{name} ended (exit {process.returncode}); its log ends with\n    {last}")

    def stop(self, patience=10):
        self.interruption.hold()
        for _, process in reversed(self.started):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + patience
        unclean = []
        for name, process in reversed(self.started):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                unclean.append(f"{name} had to be killed")
                continue
            if process.returncode not in (0, -signal.SIGINT, 130):
                unclean.append(f"{name} ended with exit {process.returncode}")
        self.started = []
        return unclean


def wait_until(what, condition, processes, seconds=60, interval=0.1):
    deadline = time.monotonic() + seconds
    while True:
        processes.check()
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds} s for {what}, in vain; logs are in {processes.folder}")
        time.sleep(interval)


def listening(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0
