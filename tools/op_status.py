"""Write docs/op-status.md: for each of TensorFlow's ops whether Regraft runs it, where, and with a gradient or not.

Run from the repository root:

    python tools/op_status.py

The page follows from the registry and from the table of op signatures alone.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.ir import op_def
from regraft.opkit import registry
from regraft.opkit.registry import OpSpec, Runs

TARGET = Path(__file__).resolve().parents[1] / "docs" / "op-status.md"

TIERS = {Runs.XLA: "compiled", Runs.HOST: "host", Runs.CONTROL: "control"}

HEAD = """# Op status

Made by `tools/op_status.py` from the op registry; do not edit it.

TensorFlow 2.21 and the releases of 1.x before it know {total:,} ops.
Regraft runs {supported:,} of them, {gradient:,} with their gradient.

| tier | ops | what it means |
|---|---|---|
| compiled | {compiled:,} | becomes part of a compiled program; small runs call it with NumPy arrays |
| host | {host:,} | runs in NumPy and Python: strings, files, queues, tables, results whose shape depends on values |
| control | {control:,} | the executor itself gives it meaning: branches, loops, calls, variables, placeholders |

A graph may hold ops that are missing here. It loads, and what does not depend on them runs; `regraft inspect FILE.meta`
names what they block, and `@regraft.register_op` adds a kernel of one's own.
"""

# The first that fits gives the heading.
MISSING = {
    "What TensorFlow puts into graphs while it rewrites or runs them": r"_",
    "TensorFlow's tests": (
        r"(Old|A|B|Attr(?!ibute)\w*|Binary|Unary|Restrict|Simple\w*|ComplexStruct|MixedStruct|DefaultAttrs|Foo\d|Func(List)?Attr"
        r"|Fi?veFloatOutputs|Float\w*put\w*|Int(Attr|Input|Output)\w*|Int64Output|InPolymorphicTwice|KernelLabel\w*"
        r"|List(In|Out)put|N(Ints|Polymorphic|In)\w*|None|OpWith\w*|Out(T|TypeList\w*)|Polymorphic\w*|Ref(In|Out)\w*"
        r"|RequiresOlderGraphVersion|Reserved\w*|Resource(Create|Initialized|Using)Op|StringListAttr|StubResourceHandleOp"
        r"|TestAttr|TestStringOutput|Namespace.*|Two\w*|TypeList\w*|Variable\w*Test|GraphDefVersion|ConstructionFails"
        r"|DevicePlacementOp|IsResourceHandleRefCounting|IsTensorFloat32Enabled|GetDeadline|SleepOp|SleepIdentityOp|Fact"
        r"|MakeWeakResourceHandle|DebugGradientRefIdentity|MlirPassthroughOp)$"
    ),
    "TPUs and XLA's own ops": (
        r"Xla|Risc|Infeed|Outfeed|DTensor|Relayout|CopyToMesh|Prelinearize|\w*TPU|\w*Tpu|\w*SparseCore|AllToAll"
        r"|CrossReplicaSum|CollectivePermute|\w*XlaConcatND|\w*XlaSplitND|\w*Dedup|MakeUnique|TopK(With)?Unique|\w*Minibatch"
        r"|WorkerHeartbeat|SyncDevice|GlobalIterId|UpdateTaskIdAndGlobalCoreArray|ConvertTo\w*Coo|SortListOf|GetStatsFrom"
    ),
    "cuDNN": r"Cudnn",
    "Quantized arithmetic": r"Quantiz|Requantiz|Uniform(Q|D|R)|Dequantize|FakeQuant|CalibrationStat|CustomAggregator",
    "Datasets and iterators": (
        r"\w*Dataset|\w*Iterator|\w*MemoryCache|\w*SeedGenerator|StatsAggregator|\w*ThreadPool|DataService|Optional"
        r"|DummyIterationCounter|CompressElement|UncompressElement|GetElementAtIndex|ComputeBatchSize|MapDefun|WindowOp"
    ),
    "Boosted trees, linear models, nearest neighbours": r"(Is)?BoostedTrees|Sdca|Kmeans|KMC2|NearestNeighbors|\w*Vocab",
    "Sparse matrices in CSR form": r"CSR|SparseMatrix|DenseToCSR|SparseTensorToCSR",
    "Ragged tensors": r"Ragged|\w*RowPartition",
    "Summary writers of TensorFlow 2": r"Write\w*Summary|\w*SummaryWriter|CreateSummary|ImportEvent|SummaryWriter",
    "Remote procedure calls, batching, several machines": (
        r"Rpc|DeleteRpc|Batch$|BatchFunction|Unbatch|Collective|Nccl|Horovod|Send|Recv|Distributed|FakeQueue"
    ),
}


def supported_rows(specs: Iterable[OpSpec]) -> Iterator[str]:
    for spec in specs:
        gradient = "yes" if spec.grad is not None else f"none: {spec.no_grad}" if spec.no_grad else "no"
        yield f"| {spec.name} | {TIERS[spec.runs]} | {gradient} |"


def heading(name: str) -> str:
    return next((title for title, pattern in MISSING.items() if re.match(pattern, name)), "Others")


def page() -> str:
    """The page as text."""
    names = sorted(op_def.names())
    specs = {name: spec for name, spec in registry.all_specs().items() if name in op_def.names()}
    counts = {tier: sum(spec.runs is runs for spec in specs.values()) for runs, tier in TIERS.items()}
    parts = [
        HEAD.format(
            total=len(names),
            supported=len(specs),
            gradient=sum(spec.grad is not None for spec in specs.values()),
            **counts,
        ),
        "## Supported\n",
        "| op | tier | gradient |\n|---|---|---|",
        *supported_rows(specs[name] for name in names if name in specs),
        "\n## Missing",
    ]
    groups: dict[str, list[str]] = {title: [] for title in ("Others", *MISSING)}
    for name in names:
        if name not in specs:
            groups[heading(name)].append(name)
    for title, ops in groups.items():
        if ops:
            parts.append(f"\n### {title}\n\n{len(ops):,} ops: {', '.join(f'`{op}`' for op in ops)}.")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
