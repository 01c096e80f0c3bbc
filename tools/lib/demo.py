"""The demo's main job, on programs that are built already. tools/demo says what it does."""
import argparse
import json
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from network import BIN, VALIDATORS, Failed, Processes, free_ports, listening, run_json, wait_until

REQUESTER, WORKER = "//Eve", "//Ferdie"
DEPOSIT = "1CC"
TASKS = {"prime_calculation": 40, "vector_search": 40, "image_resize": 20}
CHECK_PERCENT = 10
PHOTOS = "/usr/share/backgrounds/mate/nature"
WORDS = "/usr/share/dict/american-english"
DEFAULT_PORTS = [30333 + 10 * i for i in range(4)] + [9943 + 10 * i for i in range(4)] + [9950]


def say(text):
    print(text, file=sys.stderr, flush=True)


def amount(micro):
    return f"{Decimal(int(micro)) / 1_000_000:f} CC"


class Demo:
    def __init__(self, options):
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-demo-"))
        self.processes = Processes(self.folder)
        self.started = time.monotonic()
        self.wallet = self.folder / "wallet"

    def tally(self, *arguments, timeout=120):
        return run_json(BIN / "tally", "--json", "--chain", "local4", "--node",
                        f"127.0.0.1:{self.rpc_ports[0]}", "--wallet", self.wallet, *arguments,
                        timeout=timeout)

    def choose_ports(self):
        ports = DEFAULT_PORTS
        if any(listening(port) for port in ports):
            say("   some default ports are in use; taking free ones")
            ports = free_ports(len(DEFAULT_PORTS))
        self.peer_ports, self.rpc_ports, self.worker_port = ports[:4], ports[4:8], ports[8]

    def start_validators(self):
        say("1. four validators")
        node_keys = []
        for name in VALIDATORS:
            shown = subprocess.run(
                [BIN / "tallyd", "keys", "show", "--validator", name, "--base-path",
                 self.folder / name.strip("/")], capture_output=True, text=True, check=True).stdout
            node_keys.append(re.search(r"node_key\s+([0-9a-f]{64})", shown).group(1))
        for i, name in enumerate(VALIDATORS):
            peers = []
            for j in range(4):
                if j != i:
                    peers += ["--bootnode", f"{node_keys[j]}@127.0.0.1:{self.peer_ports[j]}"]
            self.processes.start(f"tallyd-{name.strip('/').lower()}", BIN / "tallyd",
                                 "--chain", "local4", "--validator", name,
                                 "--base-path", self.folder / name.strip("/"),
                                 "--port", self.peer_ports[i], "--rpc-port", self.rpc_ports[i],
                                 "--metrics", "false", *peers)
        wait_until("the first final block", self.first_block, self.processes)

    def first_block(self):
        if not all(listening(port) for port in self.rpc_ports):
            return False
        try:
            status = self.tally("chain", "status")
        except Failed:
            return False
        return status["final"]["number"] >= 1

    def start_worker(self):
        say("2. a worker")
        config = self.folder / "tally-worker.toml"
        config.write_text(f"""# Written by tools/demo.
base_path = "{self.folder}/worker"
listen = "127.0.0.1:{self.worker_port}"
node = "127.0.0.1:{self.rpc_ports[1]}"
chain = "local4"
[account]
dev_account = "{WORKER.strip('/')}"
""")
        self.processes.start("tally-worker", BIN / "tally-worker", "--config", config)
        wait_until("the worker", lambda: listening(self.worker_port), self.processes)

    def write_tasks(self):
        """A hundred tasks on real input, mixed, the same in every run."""
        dice = random.Random(1)
        photos = sorted(p for p in Path(self.options.photos).glob("*")
                        if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        if not photos:
            raise Failed(f"expected JPEG or PNG files in {self.options.photos}, found none; "
                         "name another folder with --photos")
        words = [w for w in Path(self.options.words).read_text().split("\n")
                 if w.isascii() and w.isalpha() and w.islower() and 6 <= len(w) <= 12]
        if len(words) < 1000:
            raise Failed(f"expected a word a line in {self.options.words}, found {len(words)} "
                         "usable ones; name another file with --words")
        tasks = []
        for i in range(TASKS["prime_calculation"]):
            tasks.append({"type": "prime_calculation", "lo": i * 25_000_000,
                          "hi": (i + 1) * 25_000_000})
        self.intended = {}
        for i in range(TASKS["vector_search"]):
            intended = dice.choice(words)
            query = misspell(intended, dice)
            tasks.append({"type": "vector_search", "words": str(Path(self.options.words)),
                          "queries": [query], "k": 1, "label": intended})
        for i in range(TASKS["image_resize"]):
            tasks.append({"type": "image_resize", "input": str(photos[i % len(photos)]),
                          "width": 320 + 16 * i, "format": "png" if i % 2 else "jpeg"})
        dice.shuffle(tasks)
        path = self.folder / "tasks.jsonl"
        path.write_text("".join(json.dumps(task) + "\n" for task in tasks))
        return path


def misspell(word, dice):
    """One slip of the keyboard: two letters swapped, or one lost, doubled or wrong."""
    at = dice.randrange(1, len(word) - 1)
    kind = dice.choice(["swap", "drop", "double", "wrong"])
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2:]
    if kind == "drop":
        return word[:at] + word[at + 1:]
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    return word[:at] + dice.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1:]
