"""Stop here, resume anywhere, on real processes: a computation runs on one worker, is checkpointed
and stopped in the middle, the worker's disk and the requester's are deleted, and it is resumed from
the store and the chain with another worker. tools/demo --checkpoint says what it does.
"""
import argparse
import json
import shutil
import signal
import subprocess
import sys
import time

from demo import REQUESTER, Demo, amount, perform, say
from network import BIN, Failed, Interruption, free_ports, listening, wait_until

FIRST, SECOND = "//Ferdie", "//George"  # the workers; the second is funded from Alice
GRANT, DEPOSIT, LABEL = "300CC", "1CC", "spirals"
GUEST = BIN.parent / "samples" / "spirals.wasm"
ARGUMENTS = "7 8"  # seed and generations
SEGMENT_FUEL = 15_000_000
STOP_AFTER = 4  # segments
PATIENCE = 120  # seconds, for one run


class Run:
    """A `tally task run` or `resume` whose progress is read line by line."""

    def __init__(self, demo, name, command):
        self.name = name
        self.process = demo.processes.run(name, command, stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE, text=True)

    def until(self, text):
        """Passes progress on up to the first line with this text."""
        for line in self.process.stderr:
            say("   " + line.rstrip())
            if text in line:
                return
        raise Failed(f"{self.name} ended (exit {self.process.wait()}) before it said '{text}': "
                     f"{self.process.stdout.read().strip()}")

    def signal(self, number):
        self.process.send_signal(number)

    def report(self):
        try:
            output, progress = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {PATIENCE} s") from None
        for line in progress.splitlines():
            say("   " + line)
        if self.process.returncode != 0:
            raise Failed(f"{self.name} failed (exit {self.process.returncode}): {output.strip()}")
        return json.loads(output)


class Checkpoint(Demo):
    def choose_ports(self):
        ports = free_ports(10)
        self.peer_ports, self.rpc_ports = ports[:4], ports[4:8]
        self.worker_ports = {FIRST: ports[8], SECOND: ports[9]}
        self.store = self.folder / "store"

    def start_one(self, name):
        folder = self.folder / f"worker-{name.strip('/')}"
        config = self.folder / f"{name.strip('/')}.toml"
        config.write_text(f"""# Written by tools/demo --checkpoint.
base_path = "{folder}"
listen = "127.0.0.1:{self.worker_ports[name]}"
node = "127.0.0.1:{self.rpc_ports[1]}"
chain = "local4"
gpu = false
[account]
dev_account = "{name.strip('/')}"
""")
        process = self.processes.start(f"worker-{name.strip('/')}", BIN / "tally-worker",
                                       "--config", config)
        wait_until(f"the worker {name}", lambda: listening(self.worker_ports[name]),
                   self.processes)
        return process, folder

    def computation(self, machine, worker, *arguments):
        """A command line on one of the requester's machines, each with a wallet folder of its own."""
        wallet = self.folder / machine / "wallet"
        return [BIN / "tally", "--json", "--chain", "local4", "--node",
                f"127.0.0.1:{self.rpc_ports[0]}", "--wallet", wallet, "task", *arguments,
                "--as", REQUESTER, "--worker", worker, "--to",
                f"127.0.0.1:{self.worker_ports[worker]}", "--deposit", DEPOSIT, "--close",
                "--segment-fuel", SEGMENT_FUEL]

    def guest(self):
        return ["run", "--type", "custom_wasm", GUEST, "--arg", ARGUMENTS]

    def begin_and_stop(self):
        process, folder = self.start_one(FIRST)
        say(f"3. {REQUESTER} has '{ARGUMENTS}' computed by {FIRST}, and stops in the middle")
        run = Run(self, "tally-run", self.computation(
            "first", FIRST, *self.guest(), "--label", LABEL, "--directory", self.store,
            "--checkpoint-every", "1h"))
        run.until(f"segment {STOP_AFTER}:")
        run.signal(signal.SIGUSR1)
        run.until("is on chain")
        run.until("segment ")
        run.signal(signal.SIGINT)
        stopped = run.report()
        if stopped["state"] != "stopped":
            raise Failed(f"the computation should have been stopped, it was {stopped['state']}")
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder)
        shutil.rmtree(self.folder / "first")
        say(f"   stopped at step {stopped['steps']}; {FIRST} and its disk are gone, and so is the "
            "requester's")
        return stopped

    def go_on(self):
        say(f"4. on another machine, with {SECOND}: from the chain and the store alone")
        self.start_one(SECOND)
        run = Run(self, "tally-resume", self.computation(
            "second", SECOND, "resume", "--label", LABEL, "--directory", self.store))
        run.until("from the store")
        return run.report()

    def uninterrupted(self):
        say(f"5. the same from beginning to end with {SECOND}, never stopped")
        return Run(self, "tally-whole", self.computation("third", SECOND, *self.guest())).report()

    def run(self):
        if not GUEST.exists():
            raise Failed(f"expected the sample guest at {GUEST}; build the target "
                         "tally_sample_guest (clang and wasm-ld make it)")
        self.choose_ports()
        self.start_validators()
        say(f"2. {SECOND} gets {GRANT}, so that it can be a worker")
        self.tally("transfer", "--from", "//Alice", "--to", SECOND, GRANT)
        stopped = self.begin_and_stop()
        resumed = self.go_on()
        whole = self.uninterrupted()
        return self.report(stopped, resumed, whole)

    def report(self, stopped, resumed, whole):
        same = resumed.get("result_hash") == whole.get("result_hash") is not None
        checkpoints = stopped["checkpoints"] + resumed["checkpoints"]
        return {"ok": same and resumed["state"] == whole["state"] == "done" and
                resumed["steps"] == whole["steps"] > stopped["steps"] > 0 and
                len(stopped["checkpoints"]) >= 2,
                "same_result": same, "stopped_at_step": stopped["steps"],
                "steps": whole["steps"], "fuel": whole["fuel"],
                "result_hash": resumed.get("result_hash"),
                "expected_hash": whole.get("result_hash"),
                "result_text": resumed.get("result_text", ""),
                "price": resumed["price"], "price_uninterrupted": whole["price"],
                "segments": resumed["segments"], "segments_uninterrupted": whole["segments"],
                "checkpoints": checkpoints,
                "seconds": round(time.monotonic() - self.started, 1)}

    def print_report(self, report):
        say("\n  checkpoint    at step  why               state       stored   block")
        for made in report["checkpoints"]:
            say(f"  {made['index']:>10} {made['steps']:>10}  {made['why']:<16} "
                f"{made['state_bytes']:>7} {made['stored_bytes']:>12} {made['block']:>7}")
        say(f"\n  stopped at step {report['stopped_at_step']} of {report['steps']}, resumed "
            "elsewhere")
        say(f"  resumed        {report['result_hash']}  {report['segments']:>4} segments  "
            f"{amount(report['price'])}")
        say(f"  uninterrupted  {report['expected_hash']}  "
            f"{report['segments_uninterrupted']:>4} segments  "
            f"{amount(report['price_uninterrupted'])}")
        say(f"  {report['result_text'].strip()}")
        say(f"\n{'OK' if report['ok'] else 'FAILED'}: the results are "
            f"{'the same' if report['same_result'] else 'NOT THE SAME'}, {report['seconds']} s")

    def how_to_talk_to_it(self):
        node = f"--chain local4 --node 127.0.0.1:{self.rpc_ports[0]}"
        pids = " ".join(str(p.pid) for _, p in self.processes.started if p.poll() is None)
        return f"""
The network and the worker {SECOND} are up; data and logs in {self.folder}. Try

  build/bin/tally {node} task run --type custom_wasm {GUEST} --arg '7 100' \\
      --label mine --as //Eve --worker {SECOND} --deposit 1CC \\
      --to 127.0.0.1:{self.worker_ports[SECOND]}

Stop it with: kill -INT {pids}
and then remove its data with: rm -r {self.folder}"""


def main():
    parser = argparse.ArgumentParser(prog="tools/demo --checkpoint")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    interruption = Interruption()
    interruption.hold()
    return perform(Checkpoint(options, interruption), options, interruption)


if __name__ == "__main__":
    sys.exit(main())
