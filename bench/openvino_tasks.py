"""Inference by OpenVINO, which opens `.meta` files and their checkpoints itself. On the CPU, in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.memory import peak_memory
from bench.tasks import Job, Outcome, fed, named, steady


def inferring(job: Job) -> Outcome:
    """One inference after many, as that of `bench.tasks`. The model is cut at the outputs and has the feeds' shapes."""
    import openvino
    from openvino.frontend import FrontEndManager

    feeds = fed(job)
    frontend = FrontEndManager().load_by_framework("tf")
    opened = frontend.load(job.model.meta)
    outputs = [opened.get_place_by_tensor_name(name) for name in job.model.outputs]
    opened.override_all_outputs(outputs)
    for name, value in feeds.items():
        opened.set_partial_shape(opened.get_place_by_tensor_name(name), openvino.PartialShape(list(value.shape)))
    exact = {"INFERENCE_PRECISION_HINT": "f32"}  # the default is bfloat16 where the processor has it
    request = openvino.Core().compile_model(frontend.convert(opened), "CPU", exact).create_infer_request()
    values, seconds, phases = steady(lambda: request.infer(feeds), job.parameters)
    results = [values[index] for index in range(len(outputs))]
    return Outcome(seconds, peak_memory(), phases, arrays=named(job.model.outputs, results))


TASKS: Mapping[str, Callable[[Job], Outcome]] = {"inferring": inferring}
