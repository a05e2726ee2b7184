"""An exported circuit in Python's onnxruntime: python with_onnxruntime.py moons.onnx 0.5,0.25 -1,1"""
import sys

import numpy as np
import onnxruntime

model, *points = sys.argv[1:]
x = np.array([point.split(",") for point in points], np.float32)
label, probability = onnxruntime.InferenceSession(model).run(["label", "probability"], {"x": x})
for (k,), (p,) in zip(label, probability):
    print(k, p)
