"""Networks as torch.onnx exports them, by tracing and by torch.export, and one from scikit-learn, with inputs and onnxruntime's answers.

    python networks.py    # torch, onnx, onnxscript, onnxruntime, scikit-learn and skl2onnx; writes NAME.onnx and answers.json beside it
"""
import json
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

warnings.filterwarnings("ignore")
here = pathlib.Path(__file__).parent


class Residual(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


class Dense(nn.Module):
    """Concatenates channels, as in DenseNet."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.second = nn.Conv2d(5, 3, 3, padding=1, stride=2)
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        h = torch.cat([x, torch.relu(self.first(x))], 1)
        return self.last(torch.nn.functional.silu(self.second(h)).mean((2, 3)))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(6, 10)
        self.down = nn.Linear(5, 3, bias=False)

    def forward(self, x):
        a, b = self.up(x).chunk(2, dim=1)
        return torch.softmax(self.down(torch.tanh(a) * torch.sigmoid(b)), 1)


class Attention(nn.Module):
    """One attention head over rows of four tokens."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(5, 15)
        self.out = nn.Linear(5, 5)
        self.norm = nn.LayerNorm(5)
        self.head = nn.Linear(20, 2)

    def forward(self, x):
        q, k, v = self.qkv(x).split(5, dim=-1)
        weights = torch.softmax(q @ k.transpose(1, 2) / 5**0.5, -1)
        h = self.norm(x + self.out(weights @ v))
        return self.head(h.flatten(1))


class Heads(nn.Module):
    """Self-attention with its weights, then one convolution for all tokens, which count as so many more examples."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 3, batch_first=True)
        self.filter = nn.Conv1d(1, 2, 3)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        h, weights = self.attention(x, x, x)
        signals = torch.tanh(self.filter((x + h).reshape(-1, 1, 6)))
        return self.head(signals.reshape(x.shape[0], 4, 8)).softmax(-1) * weights.sum(-1, keepdim=True)


class Resampled(nn.Module):
    """Up and down again in every way, as U-Nets and autoencoders do."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3, padding=1)
        self.second = nn.Conv2d(2, 2, 3, stride=2, padding=1)
        self.nearest = nn.Upsample(scale_factor=2)
        self.linear = nn.Upsample(scale_factor=2, mode="bilinear")
        self.corners = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.last = nn.Linear(12, 2)

    def forward(self, x):
        h = torch.relu(self.second(torch.tanh(self.first(x))))
        joined = torch.cat([self.nearest(h), self.linear(h), self.corners(h)], 1)
        cubic = nn.functional.interpolate(joined, size=(5, 3), mode="bicubic")
        return self.last(nn.functional.interpolate(cubic, scale_factor=0.5).flatten(1))


class Unit(nn.Module):
    """Attention of a causal kind, which operator set 23 has as one operator."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(6, 18)
        self.out = nn.Linear(6, 2)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, 2, 3)).permute(2, 0, 3, 1, 4).unbind(0)
        h = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(h.transpose(1, 2).flatten(2))


def residual_block(c):
    return Residual(nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c)))


networks = {
    "perceptron-tanh": (lambda: nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)), [2]),
    "perceptron-relu-dropout": (lambda: nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 12), nn.LeakyReLU(0.1), nn.Linear(12, 3)), [5]),
    "perceptron-selu-prelu": (lambda: nn.Sequential(nn.Linear(3, 7), nn.SELU(), nn.Linear(7, 6), nn.PReLU(6), nn.Linear(6, 5), nn.Mish(), nn.Linear(5, 2), nn.Softsign()), [3]),
    "batch-normalised": (lambda: nn.Sequential(nn.Linear(4, 9), nn.BatchNorm1d(9), nn.SiLU(), nn.Linear(9, 3)), [4]),
    "layer-normalised-gelu": (lambda: nn.Sequential(nn.Linear(6, 10), nn.LayerNorm(10), nn.GELU(), Residual(nn.Sequential(nn.Linear(10, 10), nn.GELU(approximate="tanh"))), nn.Linear(10, 2)), [6]),
    "residual-deep": (lambda: nn.Sequential(nn.Linear(2, 8), *[Residual(nn.Sequential(nn.Linear(8, 8), nn.Tanh())) for _ in range(6)], nn.Linear(8, 1)), [2]),
    "lenet": (lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 4)), [1, 8, 8]),
    "resnet": (lambda: nn.Sequential(nn.Conv2d(2, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), residual_block(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)), [2, 9, 9]),
    "depthwise": (lambda: nn.Sequential(nn.Conv2d(3, 6, 3, padding=2, dilation=2, groups=3), nn.GroupNorm(2, 6), nn.Hardswish(), nn.Conv2d(6, 4, 1), nn.ELU(), nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(36, 2)), [3, 6, 6]),
    "densely-connected": (Dense, [1, 6, 6]),
    "gated": (Gated, [6]),
    "attention": (Attention, [4, 5]),
    "signal": (lambda: nn.Sequential(nn.Conv1d(2, 5, 5, stride=2, padding=2), nn.InstanceNorm1d(5, affine=True), nn.Softplus(), nn.ConvTranspose1d(5, 3, 4, stride=2, padding=1), nn.Hardtanh(), nn.Flatten(), nn.Linear(36, 2)), [2, 12]),
    "transformer": (lambda: nn.Sequential(nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), nn.Flatten(), nn.Linear(32, 3)), [4, 8]),
    "heads": (Heads, [4, 6]),
    "attention-operator": (Unit, [4, 6]),
    "resampled": (Resampled, [1, 6, 6]),
    "resampled-exported": (Resampled, [1, 6, 6]),
}


def answers(path, x):
    session = onnxruntime.InferenceSession(str(path))
    names = [output.name for output in session.get_outputs() if "float" in output.type]
    return session.run(names[:1], {session.get_inputs()[0].name: x})[0]


def settle(net, shape):
    """Sets weights as if after some training, so that none is 0 or 1 for never having been updated."""
    with torch.no_grad():
        for name, value in [*net.named_parameters(), *net.named_buffers()]:
            if "running_var" in name:
                value.uniform_(0.5, 2)
            elif value.is_floating_point() and (value.dim() == 1):
                value.add_(torch.randn_like(value) * 0.2)
    return net.eval()


kept = {}
for i, (name, (make, shape)) in enumerate(networks.items()):
    torch.manual_seed(i)
    net = settle(make(), shape)
    path = here / f"{name}.onnx"
    x = torch.randn(7, *shape)
    dynamo = i % 2 == 1
    if dynamo:
        torch.onnx.export(net, (x,), path, dynamo=True, dynamic_shapes=({0: torch.export.Dim("n")},), opset_version=23 if name == "attention-operator" else None, external_data=False, verbose=False)
        model = onnx.load(path)
        # Remove what the exporter records about its own source files, which is no part of the network.
        for value in [model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output, *model.graph.value_info]:
            del value.metadata_props[:]
            value.doc_string = ""
        onnx.save(model, path)
    else:
        torch.onnx.export(net, (x,), path, dynamo=False, input_names=["images"], output_names=["scores"], dynamic_axes={"images": {0: "n"}, "scores": {0: "n"}}, opset_version=17)
    y = answers(path, x.numpy())
    kept[name] = {"example": shape, "x": x.flatten().tolist(), "y": y.flatten().tolist(), "outputs": list(y.shape[1:]), "exporter": "torch.export" if dynamo else "tracing"}

from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skl2onnx import to_onnx

generator = np.random.default_rng(0)
x = generator.normal(size=(60, 3)).astype(np.float32)
labels = (x[:, 0] * x[:, 1] > 0).astype(int) + (x[:, 2] > 1)
classifier = MLPClassifier((8, 6), max_iter=200, random_state=0).fit(x, labels)
path = here / "scikit-learn.onnx"
path.write_bytes(to_onnx(classifier, x[:1], options={"zipmap": False}).SerializeToString())
y = answers(path, x[:7])
kept["scikit-learn"] = {"example": [3], "x": x[:7].flatten().tolist(), "y": y.flatten().tolist(), "outputs": list(y.shape[1:]), "exporter": "skl2onnx"}

(here / "answers.json").write_text(json.dumps({name: {key: [float(f"{v:.9g}") for v in value] if key in "xy" else value for key, value in one.items()} for name, one in kept.items()}))
print({path.name: path.stat().st_size for path in here.glob("*.onnx")})
