"""An exported circuit in the onnx package's reference evaluator: python with_onnx.py moons.onnx 0.5,0.25 -1,1"""
import sys

import numpy as np
from onnx.reference import ReferenceEvaluator

model, *points = sys.argv[1:]
x = np.array([point.split(",") for point in points], np.float32)
label, probability = ReferenceEvaluator(model).run(["label", "probability"], {"x": x})
for (k,), (p,) in zip(label, probability):
    print(k, p)
