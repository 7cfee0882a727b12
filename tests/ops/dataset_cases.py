"""Rows of `ops/dataset_*.py`: static shapes. `tests/v1/data` runs datasets, and compares their elements."""

from typing import Any

import numpy as np

from tests.ops.both import RESOURCE, VARIANT
from tests.ops.case import Case

ELEMENT: dict[str, Any] = {"output_types": ["int64"], "output_shapes": [[]]}
INNER: dict[str, Any] = {"f": "function", **ELEMENT}
D, ONE, YES = VARIANT, np.int64(1), np.bool_(True)
TEXT = np.array(b"", object)
CSV = [TEXT, TEXT, ONE, YES, TEXT, YES, TEXT, np.array([0])]


def both(name: str, *cases: tuple[list[Any], dict[str, Any]]) -> list[Case]:
    """Rows of an op, and the same under the name that it had first."""
    return [Case(n, inputs, attrs) for n in (name, f"Experimental{name}") for inputs, attrs in cases]


SOURCES = [
    Case("TensorDataset", [[ONE]], {"output_shapes": [[]]}),
    Case("TensorSliceDataset", [[np.array([1, 2])]], {"output_shapes": [[]]}),
    Case("ListDataset", [[ONE]], ELEMENT),
    Case("SparseTensorSliceDataset", [np.array([[0, 1]]), np.array([1.0]), np.array([2, 2])]),
    Case("RangeDataset", [ONE, ONE, ONE], ELEMENT),
    *both("RandomDataset", ([ONE, ONE], ELEMENT)),
    Case("RandomDatasetV2", [ONE, ONE, RESOURCE], ELEMENT),
    Case(
        "GeneratorDataset",
        [[ONE], [ONE], [ONE]],
        {
            **ELEMENT,
            **{f"{part}_func": "function" for part in ("init", "next", "finalize")},
        },
    ),
    Case("WrapDatasetVariant", [D]),
    Case("UnwrapDatasetVariant", [D]),
    Case("TextLineDataset", [TEXT, TEXT, ONE]),
    Case("TFRecordDataset", [TEXT, TEXT, ONE]),
    Case("TFRecordDatasetV2", [TEXT, TEXT, ONE, np.array([0])]),
    Case("FixedLengthRecordDataset", [TEXT, ONE, ONE, ONE, ONE]),
    Case("FixedLengthRecordDatasetV2", [TEXT, ONE, ONE, ONE, ONE, TEXT]),
    *both("MatchingFilesDataset", ([TEXT], {})),
    Case("DatasetToTFRecord", [D, TEXT, TEXT]),
    Case("ExperimentalDatasetToTFRecord", [D, TEXT, TEXT]),
    *both("CSVDataset", ([*CSV, [np.array([0.5], np.float32)]], {"output_shapes": [[]]})),
    Case("CSVDatasetV2", [*CSV, [np.array([0.5], np.float32)], np.array([0])], {"output_shapes": [[]]}),
]

FUNCTIONS = [
    *both("MapDataset", ([D, [ONE]], INNER)),
    Case("ParallelMapDataset", [D, [ONE], np.int32(2)], INNER),
    Case("ParallelMapDatasetV2", [D, [ONE], ONE], INNER),
    Case("FilterDataset", [D, [ONE]], {"predicate": "function", **ELEMENT}),
    Case("ParallelFilterDataset", [D, [ONE], ONE], {"predicate": "function", **ELEMENT}),
    Case("FilterByLastComponentDataset", [D], ELEMENT),
    *both("TakeWhileDataset", ([D, [ONE]], {"predicate": "function", **ELEMENT})),
    *both("ScanDataset", ([D, [ONE], [ONE]], INNER)),
    Case("FlatMapDataset", [D, [ONE]], INNER),
    Case("InterleaveDataset", [D, [ONE], ONE, ONE], INNER),
    *both("ParallelInterleaveDataset", ([D, [ONE], ONE, ONE, YES, ONE, ONE], INNER)),
    Case("ParallelInterleaveDatasetV2", [D, [ONE], ONE, ONE, ONE], INNER),
    Case("ParallelInterleaveDatasetV3", [D, [ONE], ONE, ONE, ONE], INNER),
    Case("ParallelInterleaveDatasetV4", [D, [ONE], ONE, ONE, ONE, ONE, ONE], INNER),
    Case("LegacyParallelInterleaveDatasetV2", [D, [ONE], ONE, ONE, ONE, ONE], INNER),
    Case("ReduceDataset", [D, [ONE], [ONE]], {"f": "function", "output_types": ["int64"], "output_shapes": [[None]]}),
    Case("DatasetToSingleElement", [D], {"output_types": ["int64", "string"], "output_shapes": [[2], None]}),
    *both("DatasetCardinality", ([D], {})),
    *both(
        "GroupByWindowDataset",
        (
            [D, [ONE], [ONE], [ONE]],
            {**ELEMENT, **{f"{part}_func": "function" for part in ("key", "reduce", "window_size")}},
        ),
    ),
    *both(
        "GroupByReducerDataset",
        (
            [D, [ONE], [ONE], [ONE], [ONE]],
            {**ELEMENT, **{f"{part}_func": "function" for part in ("key", "init", "reduce", "finalize")}},
        ),
    ),
]

PARSED: dict[str, Any] = {
    "sparse_keys": ["s"],
    "sparse_types": ["int64"],
    "dense_keys": ["d"],
    "dense_shapes": [[2]],
    "output_types": ["float32", "variant"],
    "output_shapes": [[None, 2], None],
}
FUNCTIONS += [
    *both("ParseExampleDataset", ([D, ONE, [np.zeros(2, np.float32)]], PARSED)),
    Case("ParseExampleDatasetV2", [D, ONE, [np.zeros(2, np.float32)]], PARSED),
]

ORDER = [
    *(Case(op, [D, ONE], ELEMENT) for op in ("TakeDataset", "SkipDataset", "RepeatDataset", "PrefetchDataset")),
    Case("ConcatenateDataset", [D, D], ELEMENT),
    Case("ZipDataset", [[D, D]], {"output_types": ["int64"] * 2, "output_shapes": [[]] * 2}),
    Case("ShardDataset", [D, ONE, ONE], ELEMENT),
    Case("ShuffleDataset", [D, ONE, ONE, ONE], ELEMENT),
    Case("ShuffleDatasetV2", [D, ONE, RESOURCE], ELEMENT),
    Case("ShuffleDatasetV3", [D, ONE, ONE, ONE, RESOURCE], ELEMENT),
    Case("ShuffleAndRepeatDataset", [D, ONE, ONE, ONE, ONE], ELEMENT),
    Case("ShuffleAndRepeatDatasetV2", [D, ONE, ONE, ONE, ONE, RESOURCE], ELEMENT),
    Case("DummySeedGenerator"),
    Case("AnonymousSeedGenerator", [ONE, ONE, YES]),
    Case("AnonymousRandomSeedGenerator", [ONE, ONE]),
    Case("DeleteSeedGenerator", [RESOURCE, D]),
    Case("DeleteRandomSeedGenerator", [RESOURCE, D]),
    Case("CacheDataset", [D, TEXT], ELEMENT),
    Case("CacheDatasetV2", [D, TEXT, RESOURCE], ELEMENT),
    Case("DummyMemoryCache"),
    Case("AnonymousMemoryCache"),
    Case("DeleteMemoryCache", [RESOURCE, D]),
    *both("IgnoreErrorsDataset", ([D], ELEMENT)),
    Case("AssertCardinalityDataset", [D, ONE], ELEMENT),
    *both("UniqueDataset", ([D], ELEMENT)),
    *both("DirectedInterleaveDataset", ([D, [D]], ELEMENT)),
    Case("ModelDataset", [D], ELEMENT),
    Case("FinalizeDataset", [D], ELEMENT),
    Case("OptionsDataset", [D], {"serialized_options": "", **ELEMENT}),
    Case("RewriteDataset", [D, TEXT], ELEMENT),
    Case("OptimizeDataset", [D, np.array([b""], object)], ELEMENT),
    Case("OptimizeDatasetV2", [D, *[np.array([b""], object)] * 3], ELEMENT),
    *both("NonSerializableDataset", ([D], ELEMENT)),
    *both("MaxIntraOpParallelismDataset", ([D, ONE], ELEMENT)),
    *both("PrivateThreadPoolDataset", ([D, ONE], ELEMENT)),
    *both("ThreadPoolDataset", ([D, RESOURCE], ELEMENT)),
    *both("LatencyStatsDataset", ([D, TEXT], ELEMENT)),
    *both("BytesProducedStatsDataset", ([D, TEXT], ELEMENT)),
    *both("AssertNextDataset", ([D, np.array([b""], object)], ELEMENT)),
    *both("ChooseFastestDataset", ([[D, D]], {"num_experiments": 1, **ELEMENT})),
]

VECTOR = {"output_types": ["int64"], "output_shapes": [[None]]}
BATCHES = [
    Case("BatchDataset", [D, ONE], VECTOR),
    Case("BatchDatasetV2", [D, ONE, YES], VECTOR),
    Case("ParallelBatchDataset", [D, ONE, ONE, YES], VECTOR),
    *both("MapAndBatchDataset", ([D, [ONE], ONE, ONE, YES], {"f": "function", **VECTOR})),
    Case("PaddedBatchDataset", [D, ONE, [np.array([3])], [ONE]], {"output_shapes": [[None, 3]]}),
    Case("PaddedBatchDatasetV2", [D, ONE, [np.array([3])], [ONE], YES], {"output_shapes": [[None, 3]]}),
    *both(
        "DenseToSparseBatchDataset", ([D, ONE, np.array([3])], {"output_types": ["variant"], "output_shapes": [[3]]})
    ),
    *both("UnbatchDataset", ([D], ELEMENT)),
    Case("WindowDataset", [D, ONE, ONE, ONE, YES], {"output_types": ["variant"], "output_shapes": [[]]}),
    *both("SlidingWindowDataset", ([D, ONE, ONE, ONE], VECTOR)),
]

CASES = [*SOURCES, *FUNCTIONS, *ORDER, *BATCHES]
