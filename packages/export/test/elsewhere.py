"""Checks exported models in Python: `python elsewhere.py FILE.onnx …` runs onnx's checker with shape inference on each, runs its record's inputs
through onnxruntime, and prints the outputs, flattened, by name as JSON; `RAI_ONNX` names a Python that has both packages."""

import json
import sys

import numpy as np
import onnx
import onnxruntime

found = {}
for file in sys.argv[1:]:
    onnx.checker.check_model(file, full_check=True)
    with open(file.removesuffix(".onnx") + ".parity.json", encoding="utf-8") as record:
        rows = json.load(record)["inputs"]
    inputs = {name: np.array(values, dtype=np.float64).astype(np.float32) for name, values in rows.items()}
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for given in session.get_inputs():
        inputs[given.name] = inputs[given.name].reshape([-1, *given.shape[1:]])
    names = [output.name for output in session.get_outputs()]
    answers = session.run(names, inputs)
    found[file] = {name: [str(y) for y in answer.flatten().tolist()] for name, answer in zip(names, answers)}
print(json.dumps(found))
