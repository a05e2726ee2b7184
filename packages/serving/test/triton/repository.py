"""Writes the model repositories for Triton's example clients into `models`, `images` and `sequences` here: `python repository.py`, with onnx."""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as n

here = pathlib.Path(__file__).parent


def save(name, nodes, inputs, outputs, constants=(), config=None, repository="models"):
    folder = here / repository
    value = lambda spec: h.make_tensor_value_info(*spec)
    graph = h.make_graph(
        nodes, name, [*map(value, inputs)], [*map(value, outputs)], [n.from_array(array, key) for key, array in constants]
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    (folder / name / "1").mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / name / "1" / "model.onnx")
    if config is not None:
        (folder / name / "config.json").write_text(json.dumps(config))


def sums(name, kind, before=None, after=None):
    """OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1, computed as numbers where the datatype is not numeric."""
    cast = lambda tensor, to: ([h.make_node("Cast", [tensor], [f"{tensor}_"], to=to)], f"{tensor}_")
    a, b = (cast("INPUT0", before), cast("INPUT1", before)) if before else (([], "INPUT0"), ([], "INPUT1"))
    out = ["OUTPUT0_", "OUTPUT1_"] if after else ["OUTPUT0", "OUTPUT1"]
    nodes = [*a[0], *b[0], h.make_node("Add", [a[1], b[1]], [out[0]]), h.make_node("Sub", [a[1], b[1]], [out[1]])]
    if after:
        nodes += [h.make_node("Cast", [o], [o[:-1]], to=after) for o in out]
    specs = lambda *names: [(each, kind, ["batch", 16]) for each in names]
    save(name, nodes, specs("INPUT0", "INPUT1"), specs("OUTPUT0", "OUTPUT1"), config={"max_batch_size": 8})


sums("simple", T.INT32)
sums("simple_int8", T.INT8, before=T.INT32, after=T.INT8)
sums("simple_string", T.STRING, before=T.INT32, after=T.STRING)

for name, kind in [("simple_identity", T.STRING), ("custom_identity_int32", T.INT32)]:
    spec = lambda tensor: [(tensor, kind, ["batch", "n"])]
    save(name, [h.make_node("Identity", ["INPUT0"], ["OUTPUT0"])], spec("INPUT0"), spec("OUTPUT0"))

# The identity for a tensor of every datatype.
kinds = [
    ("BOOL", T.BOOL), ("UINT8", T.UINT8), ("UINT16", T.UINT16), ("UINT32", T.UINT32), ("UINT64", T.UINT64),
    ("INT8", T.INT8), ("INT16", T.INT16), ("INT32", T.INT32), ("INT64", T.INT64), ("FP16", T.FLOAT16),
    ("FP32", T.FLOAT), ("FP64", T.DOUBLE), ("BYTES", T.STRING),
]  # fmt: skip
save(
    "kinds",
    [h.make_node("Identity", [kind], [f"{kind}_out"]) for kind, _ in kinds],
    [(kind, code, ["n"]) for kind, code in kinds],
    [(f"{kind}_out", code, ["n"]) for kind, code in kinds],
)

# Five classes from weighted means of an image's three channels.
weights = np.array([[1, 0, 0, -1, 0.5], [0, 1, 0, -1, 0.25], [0, 0, 1, -1, 0.125]], np.float32)
save(
    "image",
    [
        h.make_node("GlobalAveragePool", ["pixels"], ["means"]),
        h.make_node("Flatten", ["means"], ["flat"]),
        h.make_node("MatMul", ["flat", "weights"], ["scores"]),
    ],
    [("pixels", T.FLOAT, ["batch", 3, 8, 8])],
    [("scores", T.FLOAT, ["batch", 5])],
    [("weights", weights)],
    config={"max_batch_size": 4},
)


def labelled(name, file, labels, *rest, **config):
    """Saves a model in `images` whose only output has these class labels."""
    save(name, *rest, config=config, repository="images")
    (here / "images" / name / file).write_text("".join(f"{label}\n" for label in labels))


# A small convolutional network that classifies images by their predominant colour: it removes edges and sums what is left.
blur = np.zeros((3, 3, 3, 3), np.float32)
for channel in range(3):
    blur[channel, channel] = 1 / 9
tells = np.array([[1, -0.5, -0.5, 0], [-0.5, 1, -0.5, 0], [-0.5, -0.5, 1, 0]], np.float32) / 16
labelled(
    "colours",
    "labels.txt",
    ["red", "green", "blue", "grey"],
    [
        h.make_node("Conv", ["image", "blur", "bias"], ["smooth"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        h.make_node("Relu", ["smooth"], ["bright"]),
        h.make_node("MaxPool", ["bright"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
        h.make_node("GlobalAveragePool", ["small"], ["means"]),
        h.make_node("Flatten", ["means"], ["flat"]),
        h.make_node("MatMul", ["flat", "tells"], ["logits"]),
        h.make_node("Add", ["logits", "least"], ["scores"]),
        h.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ],
    [("image", T.FLOAT, ["batch", 3, 32, 32])],
    [("probabilities", T.FLOAT, ["batch", 4])],
    [("blur", blur), ("bias", np.zeros(3, np.float32)), ("tells", tells), ("least", np.array([0, 0, 0, 1], np.float32))],
    max_batch_size=8,
    input=[{"name": "image", "data_type": "TYPE_FP32", "dims": [3, 32, 32], "format": "FORMAT_NCHW"}],
    output=[{"name": "probabilities", "data_type": "TYPE_FP32", "dims": [4], "label_filename": "labels.txt"}],
)

# Inputs, outputs and settings of Triton's own image example; its network is a single product.
labelled(
    "densenet_onnx",
    "densenet_labels.txt",
    ["RED", "GREEN", "BLUE", "DARK"],
    [h.make_node("GlobalAveragePool", ["data_0"], ["means"]), h.make_node("Conv", ["means", "weights"], ["fc6_1"])],
    [("data_0", T.FLOAT, [1, 3, 224, 224])],
    [("fc6_1", T.FLOAT, [1, 4, 1, 1])],
    [("weights", np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]], np.float32).reshape(4, 3, 1, 1))],
    max_batch_size=0,
    input=[
        {
            "name": "data_0",
            "data_type": "TYPE_FP32",
            "format": "FORMAT_NCHW",
            "dims": [3, 224, 224],
            "reshape": {"shape": [1, 3, 224, 224]},
        }
    ],
    output=[
        {
            "name": "fc6_1",
            "data_type": "TYPE_FP32",
            "dims": [4],
            "reshape": {"shape": [1, 4, 1, 1]},
            "label_filename": "densenet_labels.txt",
        }
    ],
)

# Two sequence models, as in Triton's examples: OUTPUT = READY (INPUT + START), the second with END CORRID added to it.
control = lambda name, kind, **values: {"name": name, "control": [{"kind": f"CONTROL_SEQUENCE_{kind}", **values}]}
int32 = {"int32_false_true": [0, 1]}
told = [control("START", "START", **int32), control("READY", "READY", **int32)]
sum_up = [h.make_node("Add", ["INPUT", "START"], ["SUM"]), h.make_node("Mul", ["SUM", "READY"], ["GIVEN"])]
ints = lambda *names: [(name, T.INT32, ["batch", 1]) for name in names]
save(
    "simple_sequence",
    [*sum_up, h.make_node("Identity", ["GIVEN"], ["OUTPUT"])],
    ints("INPUT", "START", "READY"),
    ints("OUTPUT"),
    config={"max_batch_size": 8, "sequence_batching": {"control_input": told}},
    repository="sequences",
)
save(
    "simple_dyna_sequence",
    [
        *sum_up,
        h.make_node("Cast", ["CORRID"], ["ID"], to=T.INT32),
        h.make_node("Mul", ["ID", "END"], ["LAST"]),
        h.make_node("Add", ["GIVEN", "LAST"], ["OUTPUT"]),
        h.make_node("Identity", ["NAME"], ["NAMED"]),
    ],
    [*ints("START", "INPUT", "READY", "END"), ("CORRID", T.UINT64, ["batch", 1]), ("NAME", T.STRING, ["batch", 1])],
    [*ints("OUTPUT"), ("NAMED", T.STRING, ["batch", 1])],
    config={
        "max_batch_size": 8,
        "sequence_batching": {
            "control_input": [
                *told,
                control("END", "END", **int32),
                control("CORRID", "CORRID"),
                control("NAME", "CORRID"),
            ]
        },
    },
    repository="sequences",
)
