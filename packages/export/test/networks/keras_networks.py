"""Keras 3 networks as Keras itself exports them (on TensorFlow and on PyTorch) and as tf2onnx converts their saved models.

    python keras_networks.py    # keras 3.15, tensorflow-cpu 2.21, tf2onnx 1.17, torch 2.13, onnxscript, onnx, onnxruntime; writes NAME.onnx and keras.json

It reruns itself with Keras on PyTorch.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")

import keras
import numpy as np
import onnx
import onnxruntime
from keras import layers

here = pathlib.Path(__file__).parent
table = here / "keras.json"


def residual_dense(x, units):
    h = layers.Dense(units, activation="tanh")(x)
    return layers.Add()([x, layers.Dense(units)(h)])


def perceptron():
    return keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(6, activation="elu"), layers.Dense(3, activation="softmax")])


def convolutional():
    return keras.Sequential([
        keras.Input((8, 8, 2)),
        layers.Conv2D(4, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(5, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(3),
    ])


def gelu(x):
    """On TensorFlow the tanh approximation, because tf2onnx lacks the Erfc that TensorFlow uses for the exact form."""
    return keras.activations.gelu(x, approximate=backend == "tensorflow")


def normalised():
    return keras.Sequential([
        keras.Input((6,)),
        layers.Dense(10),
        layers.LayerNormalization() if backend == "tensorflow" else layers.BatchNormalization(),  # on PyTorch Keras does not export the former
        layers.Activation(gelu),
        layers.Dropout(0.3),
        layers.Dense(7, activation="silu"),
        layers.Dense(2, activation="sigmoid"),
    ])


def residual():
    x = keras.Input((8, 8, 1))
    h = layers.Conv2D(4, 3, padding="same")(x)
    side = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(h))
    side = layers.SeparableConv2D(4, 3, padding="same")(side)
    h = layers.Add()([h, side])
    h = layers.Concatenate()([layers.AveragePooling2D(2)(h), layers.MaxPooling2D(2)(h)])
    h = layers.GlobalAveragePooling2D()(h)
    return keras.Model(x, layers.Dense(2)(residual_dense(h, 8)))


def signal():
    return keras.Sequential([
        keras.Input((12, 2)),
        layers.Conv1D(5, 4, strides=2, padding="same", activation="tanh"),
        layers.MaxPooling1D(2),
        layers.ZeroPadding1D(1),
        layers.Conv1D(4, 3, activation="swish"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(2),
    ])


networks = [perceptron, convolutional, normalised, residual, signal]


def settle(model, generator):
    """Sets weights as if after some training, so that none is 0 or 1 for never having been updated."""
    for variable in model.variables:
        value = np.array(variable)
        if "float" not in str(value.dtype):
            continue
        if "variance" in variable.path:
            variable.assign(generator.uniform(0.5, 2, value.shape).astype(np.float32))
        elif value.ndim == 1:
            variable.assign((value + 0.2 * generator.normal(size=value.shape)).astype(np.float32))


def slim(path):
    """Removes what the exporter records about its own source files, which is no part of the network."""
    model = onnx.load(path)
    for value in [model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output, *model.graph.value_info]:
        if hasattr(value, "metadata_props"):
            del value.metadata_props[:]
        value.doc_string = ""
    onnx.save(model, path)


def keep(kept, name, exporter, model, x):
    path = here / f"{name}.onnx"
    slim(path)
    session = onnxruntime.InferenceSession(str(path))
    y = session.run(None, {session.get_inputs()[0].name: x})[0]
    own = np.asarray(keras.ops.convert_to_numpy(model(x, training=False)))
    assert np.abs(y - own).max() < 1e-5, name
    short = lambda values: [float(f"{v:.9g}") for v in values.flatten().tolist()]
    kept[name] = {"example": list(x.shape[1:]), "x": short(x), "y": short(y), "outputs": list(y.shape[1:]), "exporter": exporter}


kept = json.loads(table.read_text()) if backend == "torch" else {}
for seed, make in enumerate(networks):
    keras.utils.set_random_seed(seed)
    keras.backend.clear_session()
    generator = np.random.default_rng(seed)
    model = make()
    settle(model, generator)
    x = generator.normal(size=(7, *model.input_shape[1:])).astype(np.float32)
    model(x[:1])
    label = make.__name__
    name = f"keras-{backend}-{label}"
    model.export(here / f"{name}.onnx", format="onnx", verbose=False)
    keep(kept, name, f"Keras on {backend}", model, x)
    if backend == "torch":
        continue
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        name = f"tf2onnx-{label}"
        command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", folder, "--output", str(here / f"{name}.onnx"), "--opset", "18"]
        subprocess.run(command, check=True, capture_output=True)
    keep(kept, name, "tf2onnx", model, x)

table.write_text(json.dumps(kept))
if backend == "torch":
    print({path.name: path.stat().st_size for path in here.glob("*.onnx")})
else:
    subprocess.run([sys.executable, __file__], check=True, env={**os.environ, "KERAS_BACKEND": "torch"})
