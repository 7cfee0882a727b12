"""Rows of `ops/array_basic.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
TEXT = np.array([b"a", b"bc"], object)

CASES = [
    Case("Const", [], {"value": MATRIX, "dtype": np.float32}),
    Case("Const", [], {"value": TEXT, "dtype": "string"}, compiled=False),
    Case("Placeholder", [], {"dtype": np.float32, "shape": [2, None]}),
    Case("Placeholder", [], {"dtype": np.int32}),
    Case("PlaceholderWithDefault", [MATRIX], {"shape": [None, 3]}, grad=True),
    Case("PlaceholderWithDefault", [np.array(3)], {"shape": []}),
    Case("Identity", [MATRIX], grad=True),
    Case("Identity", [TEXT], compiled=False),
    Case("IdentityN", [[MATRIX, np.array([True]), TEXT]], compiled=False),
    Case("IdentityN", [[MATRIX, np.float64(2)]], grad=True),
    Case("Snapshot", [MATRIX]),
    Case("Copy", [MATRIX]),
    Case("CopyHost", [MATRIX]),
    Case("GuaranteeConst", [MATRIX]),
    Case("DebugGradientIdentity", [MATRIX]),
    Case("DeepCopy", [MATRIX]),
    Case("StopGradient", [MATRIX], grad=True),
    Case("PreventGradient", [MATRIX], {"message": "why"}),
    Case("NoOp"),
    Case("CheckNumerics", [MATRIX], {"message": "here"}, grad=True),
    Case("CheckNumerics", [np.array([1, np.nan], F)], {"message": "here"}, fails="here : Tensor had NaN"),
    Case("CheckNumerics", [np.array([1, -np.inf], np.float16)], {"message": "here"}, fails="here : Tensor had Inf"),
    Case("CheckNumerics", [np.array([np.nan, np.inf])], {"message": "here"}, fails="Tensor had Inf and NaN values"),
    Case("CheckNumericsV2", [MATRIX], {"message": "here"}, grad=True),
    Case("CheckNumericsV2", [np.array([np.nan, np.inf])], {"message": "here"}, fails=r"here : Tensor had"),
    Case("EnsureShape", [MATRIX], {"shape": [None, 3]}, grad=True),
    Case("EnsureShape", [MATRIX], {"shape": [None, None]}),
    Case("EnsureShape", [MATRIX], {"shape": [3, None]}, fails=r"is not compatible with expected shape"),
    Case("Assert", [np.array(True), [MATRIX]]),
    Case("Assert", [np.array(False), [TEXT, MATRIX]], fails=r"assertion failed: \[a bc\] \[\[0 1 2\]\.\.\.\]"),
    Case("Assert", [np.array(False), [F(1) / 3 * MATRIX]], {"summarize": 4},
         fails=r"\[\[0 0.333333343 0.666666687\]\[1\.\.\.\]\.\.\.\]"),
    Case("Assert", [np.array(False), [np.arange(8).reshape(2, 2, 2)]], {"summarize": -1},
         fails=r"\[\[\[0 1\]\[2 3\]\]\[\[4 5\]\[6 7\]\]\]"),
    Case("Print", [MATRIX, [TEXT, MATRIX]], {"message": "seen: ", "summarize": 2}, grad=True, grad_wrt=(0,)),
    Case("PrintV2", [np.array(b"text", object)], {"output_stream": "stderr"}),
    Case("Bitcast", [MATRIX], {"type": np.int32}),
    Case("Bitcast", [MATRIX], {"type": np.uint8}),
    Case("Bitcast", [np.arange(8, dtype=np.uint8).reshape(2, 4)], {"type": np.int32}),
    Case("Bitcast", [np.arange(3, dtype=np.int64)], {"type": np.float64}),
    Case("InvertPermutation", [np.array([3, 4, 0, 2, 1], np.int32)]),
    Case("InvertPermutation", [np.array([], np.int64)]),
    Case("InvertPermutation", [np.array([0, 0])], fails="0 is duplicated in the input"),
    Case("InvertPermutation", [np.array([0, 5])], fails="5 is not between 0 and 2"),
]  # fmt: skip
