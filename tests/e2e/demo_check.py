"""demo_check.py SOURCE_DIR BIN_DIR finish|cheat|checkpoint, or one of these interrupted (interrupt,
cheat-interrupt, checkpoint-interrupt): the demo as a person runs it.

finish: its report says that all held.
interrupt: Ctrl-C while it starts, opens the channel, has tasks done, closes the channel and ends:
each time exit 130, and nothing that it started is left.
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
CHEAT_MOMENTS = ["2. 9 workers", "drawn:", "verdict:"]
CHECKPOINT_MOMENTS = ["segment 2:", "from the store"]
CREDIT = 1_000_000
MOMENTS = ["1. four validators", "2. a worker", "opening a channel", "10 of 100 tasks done",
           "100 of 100 tasks done", "closing the channel"]


def demo(source, programs, folder, story="demo.py", **pipes):
    environment = dict(os.environ, TALLY_BIN=programs, TMPDIR=folder)
    return subprocess.Popen([sys.executable, f"{source}/tools/lib/{story}", "--json"],
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


def cheat(source, programs, folder):
    process = demo(source, programs, folder, "cheat.py", stdout=subprocess.PIPE)
    output, _ = process.communicate(timeout=PATIENCE)
    report = json.loads(output)
    assert process.returncode == 0 and report["ok"], f"exit {process.returncode}: {output}"
    assert report["seconds"] < 120, report["seconds"]
    liar, accuser = report["disputes"]
    assert (liar["worker"], liar["outcome"]) == ("//Mallory", "rejected"), liar
    assert (accuser["challenger"], accuser["outcome"]) == ("//Trudy", "accepted"), accuser
    for dispute in (liar, accuser):
        # Fees of 1 CC to each of three, an award of 10 CC, a burn of 1 CC; nobody is fined.
        votes = [v for v in dispute["verifiers"] if int(v["paid"])]
        assert len(votes) == len(dispute["verifiers"]) == 3, dispute
        assert all(int(v["paid"]) == CREDIT and not int(v["fined"]) for v in votes), dispute
        paid = {name: int(value) for name, value in dispute["payouts"].items()}
        assert (paid["fees"], paid["award"], paid["burned"]) == (3 * CREDIT, 10 * CREDIT, CREDIT), paid
        loser = "to_worker" if dispute is liar else "to_challenger"
        assert paid[loser] == 18 * CREDIT - 14 * CREDIT, paid
    burned = {reason: int(value) for reason, value in report["burned"].items()}
    assert burned["dispute"] == 2 * CREDIT and burned["fee"] > 0, burned
    assert int(report["after_sum"]) == int(report["before_sum"]) - sum(burned.values()), report
    assert not left_behind(folder), left_behind(folder)
    assert not list(Path(folder).iterdir()), "the demo left its folder"


def checkpoint(source, programs, folder):
    process = demo(source, programs, folder, "checkpoint.py", stdout=subprocess.PIPE)
    output, _ = process.communicate(timeout=PATIENCE)
    report = json.loads(output)
    assert process.returncode == 0 and report["ok"], f"exit {process.returncode}: {output}"
    assert report["result_hash"] == report["expected_hash"], report
    assert 0 < report["stopped_at_step"] < report["steps"], report
    whys = [made["why"] for made in report["checkpoints"]]
    assert whys[:2] == ["asked for", "stopping"], whys
    assert not left_behind(folder), left_behind(folder)
    assert not list(Path(folder).iterdir()), "the demo left its folder"


def interrupt(source, programs, folder, moment, story):
    process = demo(source, programs, folder, story, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
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
    moments = {"interrupt": MOMENTS, "cheat-interrupt": CHEAT_MOMENTS,
               "checkpoint-interrupt": CHECKPOINT_MOMENTS}.get(what, [None])
    for moment in moments:
        with tempfile.TemporaryDirectory(prefix="tally-demo-check-") as folder:
            if moment:
                story = {"cheat-interrupt": "cheat.py",
                         "checkpoint-interrupt": "checkpoint.py"}.get(what, "demo.py")
                interrupt(source, programs, folder, moment, story)
                print(f"ok: interrupted at '{moment}'")
            elif what == "cheat":
                cheat(source, programs, folder)
                print("ok: the story of two lies holds")
            elif what == "checkpoint":
                checkpoint(source, programs, folder)
                print("ok: the resumed run gives the result of the uninterrupted one")
            else:
                finish(source, programs, folder)
                print("ok: the demo's report holds")


if __name__ == "__main__":
    main()
