"""The demo's main job, on programs that are built already. tools/demo says what it does."""
import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from network import (BIN, VALIDATORS, Failed, Interruption, Processes, free_ports, listening,
                     run_json, wait_until)

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
    def __init__(self, options, interruption):
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-demo-"))
        self.processes = Processes(self.folder, interruption)
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
        return status["finalized"]["number"] >= 1

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

    def have_work_done(self):
        say(f"3. {sum(TASKS.values())} tasks over one channel")
        path = self.write_tasks()
        command = [BIN / "tally", "--json", "--chain", "local4", "--node",
                   f"127.0.0.1:{self.rpc_ports[0]}", "--wallet", self.wallet, "task", "run-many",
                   path, "--as", REQUESTER, "--worker", WORKER, "--to",
                   f"127.0.0.1:{self.worker_port}", "--deposit", DEPOSIT, "--close", "--check",
                   CHECK_PERCENT, "--output", self.folder / "outputs"]
        # Its progress lines go through; its report is read.
        process = self.processes.start_piped("tally", *command)
        output = process.stdout.read()
        if process.wait() != 0:
            raise Failed(f"the requester failed (exit {process.returncode}): {output.strip()}")
        return json.loads(output)

    def accounts(self):
        return {who: self.tally("account", who) for who in (REQUESTER, WORKER)}

    def settlement(self, work):
        """What the chain paid out, beside what the last co-signed state says less the fee."""
        close = next(e for e in work["extrinsics"] if e["call"] == "close")
        block = self.tally("chain", "block", str(close["block"]["number"]))
        closed = next(e for e in block["events"]
                      if e["module"] == "Channels" and e["name"] == "ChannelClosed")
        payouts = closed["fields"]["payouts"]
        state = work["last_state"]
        fee = int(payouts["settlement_fee"])
        paid = int(state["balance_b"])  # the worker brought nothing: all of it is gain
        expected = {"to_a": int(state["balance_a"]), "to_b": paid - paid // 100}
        got = {side: int(payouts[side]) for side in ("to_a", "to_b")}
        return {"expected": expected, "got": got, "settlement_fee": str(fee),
                "match": got == expected and fee == paid // 100}

    def run(self):
        self.choose_ports()
        self.start_validators()
        self.start_worker()
        before = self.accounts()
        work = self.have_work_done()
        after = self.accounts()
        return self.report(work, self.settlement(work), before, after)

    def report(self, work, settlement, before, after):
        tasks = work["tasks"]
        extrinsics = [{"call": e["call"], "block": e["block"]["number"],
                       "finality_ms": e["finality_ms"], "fee": e["fee"]}
                      for e in work["extrinsics"] if "error" not in e]
        searches = [t for t in tasks if t["type"] == "vector_search"]
        found = sum(t["output"]["matches"][0]["words"][0] == t["label"] for t in searches)
        by_type = []
        for name in TASKS:
            of_type = [t for t in tasks if t["type"] == name]
            by_type.append({"type": name, "tasks": len(of_type),
                            "median_ms": statistics.median(t["elapsed_ms"] for t in of_type),
                            "price": str(sum(int(t["price"]) for t in of_type))})
        changes = {who: str(int(after[who]["total"]) - int(before[who]["total"])) for who in after}
        fees = sum(int(e["fee"]) for e in extrinsics)
        moved = {REQUESTER: -int(work["last_state"]["balance_b"]) - fees,
                 WORKER: settlement["got"]["to_b"]}
        balances_match = settlement["match"] and all(
            int(changes[who]) == moved[who] for who in moved)
        done = work["tasks_done"] == sum(TASKS.values())
        return {"ok": done and balances_match and len(extrinsics) == 2 and
                work["tasks_checked"] > 0,
                "tasks_done": work["tasks_done"], "tasks_checked": work["tasks_checked"],
                "extrinsics": len(extrinsics), "channel_versions": work["last_state"]["version"],
                "balances_match": balances_match,
                "finality_ms_p50": statistics.median(e["finality_ms"] for e in extrinsics),
                "seconds": round(time.monotonic() - self.started, 1),
                "by_type": by_type, "words_found": found, "words_searched": len(searches),
                "transactions": extrinsics, "last_state": work["last_state"],
                "settlement": settlement, "changes": changes,
                "work_seconds": round(work["work_seconds"], 2)}

    def print_report(self, report):
        print_work(report)

    def how_to_talk_to_it(self):
        node = f"--chain local4 --node 127.0.0.1:{self.rpc_ports[0]}"
        pids = " ".join(str(p.pid) for _, p in self.processes.started if p.poll() is None)
        return f"""
The network is up. Validators' gRPC: {", ".join(f"127.0.0.1:{p}" for p in self.rpc_ports)};
worker {WORKER} at 127.0.0.1:{self.worker_port}; data and logs in {self.folder}. Try

  build/bin/tally {node} chain status
  build/bin/tally {node} transfer --from //Alice --to //Bob 25CC
  build/bin/tally {node} task run --as //Eve --worker {WORKER} --to 127.0.0.1:{self.worker_port} \\
      --deposit 1CC '{{"type": "prime_calculation", "lo": 0, "hi": 1000000}}'

Stop it with: kill -INT {pids}
and then remove its data with: rm -r {self.folder}"""


def print_work(report):
    say("\n  tasks               number   median time        price")
    for row in report["by_type"]:
        say(f"  {row['type']:<18} {row['tasks']:>7} {row['median_ms']:>10.1f} ms  "
            f"{amount(row['price']):>14}")
    say(f"  checked by doing them again here: {report['tasks_checked']}, all equal; "
        f"{report['words_found']} of {report['words_searched']} misspelled words found")
    say("\n  transactions")
    for tx in report["transactions"]:
        say(f"    {tx['call']:<8} block {tx['block']:<6} final after {tx['finality_ms']} ms, "
            f"fee {amount(tx['fee'])}")
    state, settlement = report["last_state"], report["settlement"]
    say(f"\n  last co-signed state: version {state['version']}, {state['receipts_count']} receipts")
    say("                      co-signed      paid by the chain")
    say(f"    requester  {amount(state['balance_a']):>16}  {amount(settlement['got']['to_a']):>16}")
    say(f"    worker     {amount(state['balance_b']):>16}  {amount(settlement['got']['to_b']):>16}"
        f"   (less the settlement fee, {amount(settlement['settlement_fee'])})")
    verdict = "OK" if report["ok"] else "FAILED"
    say(f"\n{verdict}: {report['tasks_done']} tasks, {report['extrinsics']} transactions, "
        f"balances {'match' if report['balances_match'] else 'DO NOT MATCH'}, "
        f"{report['seconds']} s")


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


def perform(demo, options, interruption):
    """Runs a demo, ends what it started, prints its report; the exit status."""
    report, problem = None, None
    try:
        interruption.release()
        report = demo.run()
        interruption.hold()
    except KeyboardInterrupt:
        problem = "interrupted"
    except Failed as failed:
        problem = str(failed)
    except BaseException:
        demo.processes.stop()
        raise
    if options.keep and problem is None:
        demo.print_report(report)
        say(demo.how_to_talk_to_it())
    else:
        unclean = demo.processes.stop()
        if report is not None:
            demo.print_report(report)
            if unclean:
                problem = "; ".join(unclean)
            if interruption.asked:
                problem = "interrupted"
    if problem:
        say(f"\nFAILED: {problem}")
        if problem != "interrupted":
            say(f"logs are kept in {demo.folder}")
    ok = problem is None and report["ok"]
    if options.json:
        print(json.dumps(report if ok or report else {"ok": False, "error": problem}))
    if ok and not options.keep or problem == "interrupted":
        shutil.rmtree(demo.folder, ignore_errors=True)
    return 0 if ok else 130 if problem == "interrupted" else 1


def main():
    parser = argparse.ArgumentParser(prog="tools/demo")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--photos", default=PHOTOS)
    parser.add_argument("--words", default=WORDS)
    options = parser.parse_args()
    interruption = Interruption()
    interruption.hold()
    return perform(Demo(options, interruption), options, interruption)


if __name__ == "__main__":
    sys.exit(main())
