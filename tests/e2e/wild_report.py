"""Print, model by model of the strangers' ones, what runs compiled: `python -m tests.e2e.wild_report [PART OF A NAME]`.

Each model is run once for inference and once for training, everything that can be a program compiled.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import regraft.v1 as tf
from regraft.session import Session
from tests.e2e.test_wild_models import ENTRIES, WILD, opened


def described(session: Session, fetches: list[str], feeds: dict[str, Any]) -> str:
    """Run, and say how many ops ran in how many programs, and why not all did."""
    session.run(fetches, feeds)
    plan = session.plan(fetches, list(feeds))
    programs = [step for step in plan.steps if step.compiled and step not in session.refused]
    count, total = sum(step.size for step in programs), sum(step.size for step in plan.steps)
    text = f"{count:,} of {total:,} ops in {len(programs)}"
    reasons = {session.refused[step] for step in plan.steps if step in session.refused}
    return text + "".join(f"; {reason}" for reason in sorted(reasons))


def main(wanted: str = "") -> None:
    """Print the table."""
    print("| model | inference | training |\n|---|---|---|")
    for entry in ENTRIES:
        if not entry["reference"] or wanted not in entry["id"]:
            continue
        with np.load(WILD / entry["id"] / "reference.npz", allow_pickle=True) as data:
            arrays = dict(data)
        feeds, train_feeds = (
            {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
            for start in ("feed:", "trainfeed:")
        )
        outputs = [k.removeprefix("out:") for k in arrays if k.startswith("out:")]
        with tf.Graph().as_default() as graph:
            session = opened(entry, lambda graph=graph: Session(graph, "compile"))
            inference = described(session, outputs, feeds)
            training = described(session, [entry["train_op"]], train_feeds) if entry["train_op"] else ""
        print(f"| {entry['id']} | {inference} | {training} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
