"""An exported circuit in OpenCV's dnn, from OpenCV 5 on: python with_opencv.py moons.onnx 0.5,0.25 -1,1"""
import sys

import cv2
import numpy as np

model, *points = sys.argv[1:]
net = cv2.dnn.readNetFromONNX(model)
net.setInput(np.array([point.split(",") for point in points], np.float32), "x")
_, probability, label = net.forward(["logit", "probability", "label"])  # it gives all outputs or one
for (k,), (p,) in zip(label, probability):
    print(k, p)
