"""scikit-learn networks as skl2onnx converts them, with their inputs and onnxruntime's answers.

    python scikit_learn.py    # scikit-learn 1.9, skl2onnx 1.20, onnxruntime; writes NAME.onnx and scikit-learn.json beside it

`refused-forest` contains operators that are not supported.
"""
import json
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, MinMaxScaler, StandardScaler

warnings.filterwarnings("ignore")
here = pathlib.Path(__file__).parent
generator = np.random.default_rng(0)
x = (generator.normal(size=(80, 4)) * [1, 10, 0.1, 3] + [0, 5, 0, -2]).astype(np.float32)
value = x[:, 0] + x[:, 1] / 10
labels = (value > 0.5).astype(int) + (x[:, 2] > 0.1)
names = np.array(["setosa", "versicolor", "virginica"])[labels]

networks = {
    # By default, a classifier's outputs are labels and a sequence of maps.
    "sklearn-classifier-pipeline": (make_pipeline(StandardScaler(), MLPClassifier((8, 6), max_iter=100, random_state=0)).fit(x, labels), {}),
    "sklearn-classifier-binary": (make_pipeline(StandardScaler(), MLPClassifier((6,), activation="logistic", max_iter=100, random_state=0)).fit(x, labels > 0), {"zipmap": False}),
    "sklearn-classifier-named": (make_pipeline(MinMaxScaler(), MLPClassifier((6,), activation="tanh", max_iter=100, random_state=0)).fit(x, names), {"zipmap": False}),
    "sklearn-regressor": (make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(8, 5), activation="tanh", max_iter=200, random_state=0)).fit(x, value), {}),
    "sklearn-logistic-regression": (LogisticRegression().fit(x, labels), {"zipmap": False}),
    "sklearn-logistic-regression-binary": (make_pipeline(StandardScaler(), LogisticRegression()).fit(x, labels > 0), {}),
}

forest = make_pipeline(Binarizer(), RandomForestClassifier(2, max_depth=2, random_state=0)).fit(x, labels)
(here / "refused-forest.onnx").write_bytes(to_onnx(forest, x[:1]).SerializeToString())

kept = {}
for name, (model, options) in networks.items():
    path = here / f"{name}.onnx"
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    path.write_bytes(to_onnx(model, x[:1], options={id(last): options} if options else None).SerializeToString())
    graph = onnx.load(path).graph
    session = onnxruntime.InferenceSession(str(path))
    outputs = [(output.name, output.type) for output in session.get_outputs()]
    y = model.predict_proba(x[:7]) if hasattr(model, "predict_proba") else model.predict(x[:7])[:, None]
    print(name, outputs, [f"{node.domain}.{node.op_type}" for node in graph.node], path.stat().st_size)
    kept[name] = {"example": [4], "x": x[:7].astype(float).flatten().tolist(), "y": y.astype(float).flatten().tolist(), "outputs": list(y.shape[1:]), "exporter": "skl2onnx"}
(here / "scikit-learn.json").write_text(json.dumps(kept))
