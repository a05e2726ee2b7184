"""The operator cases of the `onnx` package as folders: NAME/model.onnx and NAME/test_data_set_0/{input,output}_N.pb.

    python cases.py FOLDER    # with onnx 1.23.2 from PyPI; then `npm run conformance -- FOLDER`
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases

folder = pathlib.Path(sys.argv[1])
for case in collect_testcases(None):
    data = folder / case.name / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    (data.parent / "model.onnx").write_bytes(case.model.SerializeToString())
    graph = case.model.graph
    for kind, arrays, values in zip(("input", "output"), case.data_sets[0], (graph.input, graph.output)):
        for i, (array, value) in enumerate(zip(arrays, values)):
            # A sequence, or nothing at all, is kept as an empty file.
            message = b""
            if isinstance(array, onnx.TensorProto):
                message = array.SerializeToString()
            elif value.type.HasField("tensor_type"):
                message = onnx.numpy_helper.from_array(np.array(array), value.name).SerializeToString()
            (data / f"{kind}_{i}.pb").write_bytes(message)
