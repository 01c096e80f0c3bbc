"""The story of two lies, on real processes: a worker that signs a wrong result, and a requester that
accuses an honest worker. tools/demo --cheat says what it does.

All numbers come from the chain: balances with proofs, and every movement from the events of the
blocks between the two tables. Nothing about who should pay what is written down here.
"""
import argparse
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from demo import Demo, amount, perform, say
from network import BIN, VALIDATORS, Failed, Interruption, free_ports, listening, wait_until

REQUESTER, LIAR = "//Eve", "//Mallory"  # the liar is a worker
ACCUSER, HONEST = "//Trudy", "//Ferdie"  # the accuser is a requester
VERIFIERS = [f"//Verifier{i}" for i in range(1, 8)]
WORKERS = [HONEST, LIAR] + VERIFIERS
FUNDED = [LIAR, ACCUSER] + VERIFIERS  # the others have credits from genesis
GRANT, STAKE = "300CC", "150 CC"
DISHONEST = BIN.parent / "tests" / "tally-dishonest-worker"
# The liar does the first two, and makes up what begins with a million or more.
TASKS = [{"type": "prime_calculation", "lo": 500_000 * i, "hi": 500_000 * (i + 1)}
         for i in range(6)]
DISPUTE_PATIENCE = 110  # seconds


class Watch:
    """`tally dispute watch`, read line by line without ever waiting for ever."""

    def __init__(self, demo, number):
        self.demo, self.number, self.events = demo, number, []
        self.lines = queue.Queue()
        self.process = demo.processes.start_piped(f"tally-watch{number}",
                                                  *demo.command("dispute", "watch", str(number)))
        threading.Thread(target=self.read, daemon=True).start()
        self.deadline = time.monotonic() + DISPUTE_PATIENCE

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def until(self, name):
        """Tells every event up to the first of this name; the event's fields."""
        while True:
            try:
                line = self.lines.get(timeout=max(0.1, self.deadline - time.monotonic()))
            except queue.Empty:
                raise Failed(f"dispute {self.number}: expected {name} within {DISPUTE_PATIENCE} s, "
                             f"its last event was {self.events[-1:]}") from None
            if line is None:
                raise Failed(f"dispute {self.number}: its watch ended before {name}")
            event = json.loads(line)
            self.events.append(event)
            self.demo.tell(self.number, event)
            if event["name"] == name:
                return event["fields"]


class Cheat(Demo):
    def choose_ports(self):
        ports = free_ports(8 + len(WORKERS))
        self.peer_ports, self.rpc_ports = ports[:4], ports[4:8]
        self.worker_ports = dict(zip(WORKERS, ports[8:]))

    def command(self, *arguments):
        return [BIN / "tally", "--json", "--chain", "local4", "--node",
                f"127.0.0.1:{self.rpc_ports[0]}", "--wallet", self.wallet, *arguments]

    def learn_names(self):
        """Addresses of everybody in the story."""
        known = sorted(set(VALIDATORS + WORKERS + [REQUESTER, ACCUSER]))
        with ThreadPoolExecutor(4) as pool:
            shown = pool.map(lambda name: self.tally("account", name)["account"], known)
            self.names = dict(zip(shown, known))

    def name(self, account):
        return self.names.get(account, account[:8] + "…")

    def fund(self):
        say(f"2. {len(WORKERS)} workers, each with a stake of {STAKE}; one of them is dishonest")
        for receiver in FUNDED:
            self.tally("transfer", "--from", "//Alice", "--to", receiver, GRANT)

    def start_one(self, name, number):
        folder = self.folder / f"worker-{name.strip('/')}"
        folder.mkdir()
        first = self.folder / f"worker-{WORKERS[0].strip('/')}" / "probe.json"
        if number > 0:  # one machine: measured once
            shutil.copy(first, folder / "probe.json")
        config = self.folder / f"{name.strip('/')}.toml"
        config.write_text(f"""# Written by tools/demo --cheat.
base_path = "{folder}"
listen = "127.0.0.1:{self.worker_ports[name]}"
node = "127.0.0.1:{self.rpc_ports[number % 4]}"
chain = "local4"
gpu = false
[account]
dev_account = "{name.strip('/')}"
[registration]
stake = "{STAKE}"
[limits]
threads = 1
""")
        program = DISHONEST if name == LIAR else BIN / "tally-worker"
        self.processes.start(f"worker-{name.strip('/')}", program, "--config", config)

    def start_workers(self):
        self.start_one(WORKERS[0], 0)
        probe = self.folder / f"worker-{WORKERS[0].strip('/')}" / "probe.json"
        wait_until("the first worker's measurement", probe.exists, self.processes)
        for number, name in enumerate(WORKERS[1:], 1):
            self.start_one(name, number)
        wait_until("the workers' registrations", self.all_registered, self.processes)

    def all_registered(self):
        listed = self.tally("worker", "list", "--type", "prime_calculation")
        up = all(listening(port) for port in self.worker_ports.values())
        return up and len(listed) == len(WORKERS)

    def order(self, requester, worker, *arguments):
        """A requester has tasks done; the exit status and what it said."""
        done = subprocess.run(
            [str(word) for word in self.command(
                "task", *arguments, "--as", requester, "--worker", worker, "--to",
                f"127.0.0.1:{self.worker_ports[worker]}", "--deposit", "1CC")],
            capture_output=True, text=True, timeout=120)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise Failed(f"{requester} at {worker}: expected JSON, got exit {done.returncode}: "
                         f"{done.stdout} {done.stderr}") from None

    def notice_the_lie(self):
        say(f"3. {REQUESTER} has {len(TASKS)} tasks done by {LIAR}, a new worker: all are checked")
        path = self.folder / "tasks.jsonl"
        path.write_text("".join(json.dumps(task) + "\n" for task in TASKS))
        code, answer = self.order(REQUESTER, LIAR, "run-many", path)
        error = answer.get("error", {})
        if code != 6 or error.get("code") != "wrong_result" or "file" not in error:
            raise Failed(f"the spot check should have noticed a wrong result, got exit {code}: "
                         f"{answer}")
        say(f"   noticed: {error['message'].split(';')[0]}")
        return error["file"]

    def have_honest_work_done(self):
        code, answer = self.order(ACCUSER, HONEST, "run", "--close", "--check", "100",
                                  json.dumps(TASKS[0]))
        if code != 0 or not answer["checked"]:
            raise Failed(f"{HONEST} should have done a task, got exit {code}: {answer}")
        return answer["receipt_file"]

    def open_dispute(self, challenger, receipt, reason):
        opened = self.tally("dispute", "open", receipt, "--as", challenger, "--reason", reason,
                            "--yes")
        say(f"   dispute {opened['number']}: {challenger} puts {amount(opened['bond'])} at stake, "
            f"{amount(opened['worker_covers'])} of the worker's stake is frozen")
        return opened["number"]

    def tell(self, number, event):
        fields, name = event["fields"], event["name"]
        who = self.name(fields["verifier"]) if "verifier" in fields else ""
        text = {
            "Drawn": lambda: "drawn: " + ", ".join(self.name(v) for v in fields["verifiers"]),
            "Accepted": lambda: f"{who} accepts",
            "Replaced": lambda: f"{who} did not accept and is replaced",
            "Committed": lambda: f"{who} commits to a vote",
            "RevealStarted": lambda: "votes are revealed",
            "Revealed": lambda: f"{who} reveals {fields['vote'].get('output_hash', 'no input')[:14]}…",
            "Decided": lambda: f"verdict: {fields['verdict']['outcome']}; the loser may appeal",
            "VerifierPaid": lambda: f"{who} is paid {amount(fields['amount'])}",
            "VerifierFined": lambda: f"{who} is fined {amount(fields['amount'])}",
            "Ended": lambda: "paid out",
        }.get(name)
        if text:
            say(f"   dispute {number}, block {event['block']}: {text()}")

    def run(self):
        self.choose_ports()
        self.start_validators()
        self.learn_names()
        self.fund()
        self.start_workers()
        before = self.tally("chain", "accounts")
        bad_receipt = self.notice_the_lie()
        good_receipt = self.have_honest_work_done()
        say("4. the wrong result is disputed: three strangers, whom nobody could choose, do it again")
        first = self.open_dispute(REQUESTER, bad_receipt, "the count of primes is wrong")
        first_watch = Watch(self, first)
        first_watch.until("Decided")
        say(f"5. {ACCUSER} accuses {HONEST} of a result that is right")
        second = self.open_dispute(ACCUSER, good_receipt, "I would like my money back")
        second_watch = Watch(self, second)
        second_watch.until("Decided")
        first_watch.until("Ended")
        second_watch.until("Ended")
        watches = [first_watch, second_watch]
        disputes = [self.judged(watch) for watch in watches]
        banned = {who: self.tally("worker", "show", who)["banned"] for who in (LIAR, HONEST)}
        return self.report(before, self.settled(), disputes, banned)

    def settled(self):
        """The accounts of a block after both disputes ended."""
        after = self.tally("chain", "accounts")
        if not after["complete"]:
            after = self.tally("chain", "accounts")
        return after

    def judged(self, watch):
        shown = self.tally("dispute", "show", str(watch.number))
        draw = self.tally("dispute", "verify-draw", str(watch.number))
        paid = {e["fields"]["verifier"]: e["fields"]["amount"] for e in watch.events
                if e["name"] == "VerifierPaid"}
        fined = {e["fields"]["verifier"]: e["fields"]["amount"] for e in watch.events
                 if e["name"] == "VerifierFined"}
        payouts = {k: int(v) for k, v in shown["payouts"].items()}
        given = int(shown["bond"]) + int(shown["stake"]) + payouts["from_pool"] + \
            sum(int(v) for v in fined.values())
        divided = sum(payouts[k] for k in ("fees", "award", "burned", "to_challenger", "to_worker"))
        return {"number": watch.number, "outcome": shown["verdict"]["outcome"],
                "challenger": self.name(shown["challenger"]), "worker": self.name(shown["worker"]),
                "bond": shown["bond"], "stake": shown["stake"], "payouts": shown["payouts"],
                "balances": given == divided, "draw_holds": draw["holds"],
                "verifiers": [{"name": self.name(seat["verifier"]), "vote": seat["vote"],
                               "paid": paid.get(seat["verifier"], "0"),
                               "fined": fined.get(seat["verifier"], "0")}
                              for seat in shown["seats"]]}

    def movements(self, first, last):
        """What the blocks' events moved, account by account, and what they burned."""
        blocks = subprocess.run(
            [str(word) for word in self.command("chain", "watch", "--from", first, "--count",
                                                last - first + 1)],
            capture_output=True, text=True, timeout=120)
        if blocks.returncode != 0:
            raise Failed(f"reading blocks {first} to {last} failed: {blocks.stdout}{blocks.stderr}")
        moved, burned, to_proposers = defaultdict(int), defaultdict(int), 0
        pool = self.pool
        for line in blocks.stdout.splitlines():
            for event in json.loads(line)["events"]:
                if event["module"] != "Credits":
                    continue
                fields = event["fields"]
                value = int(fields.get("amount", 0))
                if event["name"] in ("Transfer", "HeldPaid"):
                    moved[fields["from"]] -= value
                    moved[fields["to"]] += value
                elif event["name"] == "Burned":
                    moved[fields["account"]] -= value
                    burned[fields["reason"]] += value
                elif event["name"] == "PoolFunded":
                    moved[fields["account"]] -= value
                    moved[pool] += value
                elif event["name"] == "PoolPaid":
                    moved[pool] -= value
                    moved[fields["to"]] += value
                elif event["name"] == "FeePaid":
                    fee, tip = int(fields["fee"]), int(fields["tip"])
                    moved[fields["account"]] -= fee + tip
                    burned["fee"] += fee - fee // 2
                    to_proposers += fee // 2 + tip
        return moved, burned, to_proposers

    def report(self, before, after, disputes, banned):
        self.pool = next(a["account"] for a in before["accounts"] if a["reward_pool"])
        self.names[self.pool] = "reward pool"
        had = {a["account"]: int(a["total"]) for a in before["accounts"]}
        has = {a["account"]: int(a["total"]) for a in after["accounts"]}
        moved, burned, to_proposers = self.movements(before["block"]["number"] + 1,
                                                     after["block"]["number"])
        validators = {account for account, name in self.names.items() if name in VALIDATORS}
        accounts, unexplained = [], 0
        for account in sorted(set(had) | set(has), key=lambda a: self.name(a)):
            change = has.get(account, 0) - had.get(account, 0)
            if account in validators:
                unexplained += change - moved[account]  # their halves of the fees
            elif change != moved[account]:
                raise Failed(f"{self.name(account)}: the tables differ by {change}, the blocks' events "
                             f"say {moved[account]}")
            if change or account in self.names:
                accounts.append({"name": self.name(account), "account": account,
                                 "before": str(had.get(account, 0)),
                                 "after": str(has.get(account, 0)), "change": str(change)})
        total = int(after["sum"]) - int(before["sum"])
        checks = {
            "every account is in the tables": before["complete"] and after["complete"],
            "the sum fell by what was burned, and nothing else": total == -sum(burned.values()),
            "validators got their half of the fees": unexplained == to_proposers,
            "the liar lost": [d["outcome"] for d in disputes] == ["rejected", "accepted"],
            "the liar is banned, the honest worker is not": banned == {LIAR: True, HONEST: False},
            "what the disputes took is what they gave": all(d["balances"] for d in disputes),
            "both draws hold": all(d["draw_holds"] for d in disputes),
            "every verifier voted and was paid": all(
                int(v["paid"]) > 0 for d in disputes for v in d["verifiers"]),
        }
        return {"ok": all(checks.values()), "checks": checks, "disputes": disputes,
                "accounts": accounts, "before_sum": before["sum"], "after_sum": after["sum"],
                "burned": {reason: str(value) for reason, value in sorted(burned.items())},
                "blocks": [before["block"]["number"], after["block"]["number"]],
                "seconds": round(time.monotonic() - self.started, 1)}

    def print_report(self, report):
        for dispute in report["disputes"]:
            paid = dispute["payouts"]
            say(f"\n  dispute {dispute['number']}: {dispute['challenger']} against "
                f"{dispute['worker']}, {dispute['outcome']}")
            say(f"    taken: bond {amount(dispute['bond'])}, frozen stake {amount(dispute['stake'])}")
            say(f"    given: verifiers {amount(paid['fees'])}, award {amount(paid['award'])}, burned "
                f"{amount(paid['burned'])}, back to the challenger {amount(paid['to_challenger'])}, "
                f"to the worker {amount(paid['to_worker'])}")
        say(f"\n  {'account':<14} {'before':>22} {'after':>22} {'change':>18}")
        for row in report["accounts"]:
            say(f"  {row['name']:<14} {amount(row['before']):>22} {amount(row['after']):>22} "
                f"{amount(row['change']):>18}")
        change = int(report["after_sum"]) - int(report["before_sum"])
        say(f"  {'sum':<14} {amount(report['before_sum']):>22} {amount(report['after_sum']):>22} "
            f"{amount(change):>18}")
        burns = ", ".join(f"{reason} {amount(value)}" for reason, value in report["burned"].items())
        say(f"  burned, by the events of blocks {report['blocks'][0] + 1} to {report['blocks'][1]}: "
            f"{burns}\n")
        for check, holds in report["checks"].items():
            say(f"  {'holds' if holds else 'DOES NOT HOLD'}: {check}")
        say(f"\n{'OK' if report['ok'] else 'FAILED'}: {report['seconds']} s")

    def how_to_talk_to_it(self):
        node = f"--chain local4 --node 127.0.0.1:{self.rpc_ports[0]}"
        pids = " ".join(str(p.pid) for _, p in self.processes.started if p.poll() is None)
        return f"""
The network is up; data and logs are in {self.folder}. Try

  build/bin/tally {node} worker list
  build/bin/tally {node} worker show {LIAR}
  build/bin/tally {node} dispute show 0

Stop it with: kill -INT {pids}"""


def main():
    parser = argparse.ArgumentParser(prog="tools/demo --cheat")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    interruption = Interruption()
    interruption.hold()
    return perform(Cheat(options, interruption), options, interruption)


if __name__ == "__main__":
    sys.exit(main())
