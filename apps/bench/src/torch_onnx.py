"""A deep perceptron of ours as PyTorch exports it: python torch_onnx.py OURS.onnx THEIRS.onnx, with the weights of OURS."""
import sys

import numpy as np
import onnx
import torch

ours, theirs = sys.argv[1:]
arrays = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(ours).graph.initializer}
maps = [name.removesuffix(".weight") for name in arrays if name.endswith(".weight")]
layers = []
for name in maps:
    weight, bias = (torch.from_numpy(np.array(arrays[f"{name}.{part}"])) for part in ("weight", "bias"))
    linear = torch.nn.Linear(*weight.shape)
    linear.weight.data, linear.bias.data = weight.T.contiguous(), bias
    layers += [linear, torch.nn.Sigmoid()]
network = torch.nn.Sequential(*layers[:-1]).eval()
x = torch.zeros(2, network[0].in_features)
torch.onnx.export(network, (x,), theirs, dynamic_shapes=({0: torch.export.Dim("batch")},), external_data=False, input_names=["x"])
