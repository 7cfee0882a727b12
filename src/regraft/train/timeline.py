"""Timeline: the steps of a run, from its RunMetadata, as a file for chrome://tracing."""

from __future__ import annotations

import json
from typing import Any


class Timeline:
    """What ran when, by device.

    step_stats  of a RunMetadata
    graph       accepted
    """

    def __init__(self, step_stats: Any, graph: Any = None) -> None:
        self._step_stats = step_stats

    def generate_chrome_trace_format(
        self, show_dataflow: bool = True, show_memory: bool = False, op_time: str = "schedule"
    ) -> str:
        """The JSON text: a process for each device, a bar for each node. Arrows and memory are not drawn."""
        events: list[dict[str, Any]] = []
        for number, device in enumerate(self._step_stats.dev_stats):
            events.append(
                {"name": "process_name", "ph": "M", "pid": number, "args": {"name": f"{device.device} Compute"}}
            )
            for node in device.node_stats:
                events.append(
                    {
                        "ph": "X",
                        "cat": "Op",
                        "name": node.timeline_label or node.node_name,
                        "pid": number,
                        "tid": node.thread_id,
                        "ts": node.all_start_micros,
                        "dur": node.all_end_rel_micros,
                        "args": {"name": node.node_name},
                    }
                )
        return json.dumps({"traceEvents": events}, indent=4)
