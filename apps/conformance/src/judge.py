"""What others say of exported models, as one line of JSON for each, which `judge.ts` reads.

    python judge.py FOLDER    # of FOLDER/NAME/model.onnx and FOLDER/NAME/expected.json
"""
import json
import pathlib
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

TOLERANCE = 1e-5


def checker(model):
    onnx.checker.check_model(model, full_check=True)
    return {}


def shape(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def shape_inference(model):
    """Every value gets a type, and the outputs the shapes that they declare, found without these."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True).graph
    typed = {value.name for value in [*graph.value_info, *graph.output]}
    untyped = [name for node in graph.node for name in node.output if name not in typed]
    assert not untyped, f"expected a type of every value, but {untyped[0]} has none"
    for declared, found in zip(map(shape, model.graph.output), map(shape, graph.output)):
        assert len(declared) == len(found), f"expected {declared}, but {found} was inferred"
        # The batch bears its name; what inference gives a name of its own is no contradiction.
        same = all(a == b for a, b in zip(declared, found) if isinstance(a, int) and isinstance(b, int))
        assert same, f"expected {declared}, but {found} was inferred"
    return {}


def head(task, logit):
    """Probability, class, and which of the classes are beyond rounding, by their definitions in float64."""
    if task == "binary":
        probability = 1 / (1 + np.exp(-logit))
        return probability, probability > 0.5, np.abs(2 * probability - 1) > TOLERANCE
    e = np.exp(logit - logit.max(axis=1, keepdims=True))
    probability = e / e.sum(axis=1, keepdims=True)
    lower, upper = np.sort(probability, axis=1)[:, -2:].T
    return probability, probability.argmax(axis=1)[:, None], (upper - lower > TOLERANCE)[:, None]


def compare(session, model, given):
    """The largest |a - b| / (1 + |b|) of all outputs beside the free run's."""
    rows, numbers = given["x"]
    x = np.array(numbers, np.float32).reshape(rows)  # null, a missing value, becomes NaN
    outputs = dict(zip([output.name for output in model.graph.output], session.run(None, {"x": x})))
    expected = {name: np.reshape(data, shape) for name, (shape, data) in given["outputs"].items()}
    if given["task"] != "regression":
        expected["probability"], label, sure = head(given["task"], expected["logit"])
        came = outputs.pop("label")
        assert came.dtype == np.int64 and came.shape == label.shape, f"label: {came.dtype} {came.shape} came"
        assert (came == label)[sure].all(), f"label: expected {label.tolist()}, but {came.tolist()} came"
    assert outputs.keys() == expected.keys(), f"expected {[*expected]}, but {[*outputs]} came"
    largest = 0.0
    for name, b in expected.items():
        a = outputs[name]
        assert a.dtype == np.float32 and a.shape == b.shape, f"{name}: expected {b.shape}, but {a.dtype} {a.shape} came"
        largest = max(largest, float((np.abs(a - b) / (1 + np.abs(b))).max()))
    assert largest <= TOLERANCE, f"expected the free run's answers within {TOLERANCE}, but they are {largest} apart"
    return {"difference": largest}


def reference_evaluator(model, given):
    return compare(ReferenceEvaluator(model), model, given)


def runtime(model, given):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return compare(session, model, given)


class Opencv:
    """OpenCV's dnn, called as the others are."""

    def __init__(self, model):
        self.names = [output.name for output in model.graph.output]
        self.net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))

    def run(self, _, inputs):
        for name, array in inputs.items():
            self.net.setInput(array, name)
        return self.net.forward(self.names)


def opencv(model, given):
    return compare(Opencv(model), model, given)


def verdict(judge, folder, *given):
    try:
        return {"passed": True, **judge(onnx.load(folder / "model.onnx"), *given)}
    except Exception as error:  # each judge has its own way to say no
        return {"passed": False, "reason": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    onnxruntime.set_default_logger_severity(4)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        given = json.loads((folder / "expected.json").read_text())
        verdicts = {
            "checker, full": verdict(checker, folder),
            "shape inference, strict": verdict(shape_inference, folder),
            "reference evaluator": verdict(reference_evaluator, folder, given),
            "onnxruntime": verdict(runtime, folder, given),
            "OpenCV": verdict(opencv, folder, given),
        }
        print(json.dumps({"name": folder.name, "verdicts": verdicts}), flush=True)
