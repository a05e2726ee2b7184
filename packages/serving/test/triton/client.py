"""Tests a server of repository.py's models with Triton's own client: `python client.py HOST:PORT`, with tritonclient[http]."""

import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

client = http.InferenceServerClient(sys.argv[1])
random = np.random.default_rng(0)

assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("simple", "1")
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
assert client.get_model_metadata("simple")["inputs"][0] == {"name": "INPUT0", "datatype": "INT32", "shape": [-1, 16]}
assert client.get_model_config("simple")["max_batch_size"] == 8
assert len(client.get_model_repository_index()) == 7

arrays = {
    "BOOL": np.array([True, False, True]),
    **{f"{kind}{bits}": np.array([info.min, 1, info.max], info.dtype)
       for kind in ("UINT", "INT") for bits in (8, 16, 32, 64) for info in [np.iinfo(f"{kind.lower()}{bits}")]},
    "FP16": np.array([0.1, -65504, np.inf], np.float16),
    "FP32": np.array([0.1, -3.4e38, np.nan], np.float32),
    "FP64": np.array([0.1, -1.7e308, -np.inf]),
    "BYTES": np.array([b"", "grün".encode(), b"a\0b"], np.object_),
}  # fmt: skip


def same(a, b):
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


# Every datatype raw, and as JSON where it has a JSON form; compressed or not; with raw or JSON outputs.
for raw_in in (True, False):
    for raw_out in (True, False):
        for request_coding, response_coding in [(None, None), ("gzip", "deflate"), ("deflate", "gzip")]:
            inputs, outputs = [], []
            for datatype, array in arrays.items():
                tensor = http.InferInput(datatype, [3], datatype)
                # The client's JSON writer spells NaN and the infinities as Python does; numpy's float16 has no JSON form.
                tensor.set_data_from_numpy(array, binary_data=raw_in or datatype == "FP16")
                inputs.append(tensor)
                outputs.append(http.InferRequestedOutput(f"{datatype}_out", binary_data=raw_out or datatype == "FP16"))
            answer = client.infer(
                "kinds", inputs, outputs=outputs, request_id="id",
                request_compression_algorithm=request_coding, response_compression_algorithm=response_coding,
            )  # fmt: skip
            assert answer.get_response()["id"] == "id"
            for datatype, array in arrays.items():
                got = answer.as_numpy(f"{datatype}_out")
                if datatype == "BYTES" and not raw_out:
                    got = np.array([text.encode() for text in got], np.object_)
                elif array.dtype.kind == "f" and not raw_out and datatype != "FP16":
                    got = got.astype(array.dtype)
                assert same(array, got), (datatype, raw_in, raw_out, array, got)

# Many concurrent requests, each with its own answer.
pool = http.InferenceServerClient(sys.argv[1], concurrency=8)
waiting = []
for number in range(100):
    pair = [random.integers(-1000, 1000, (2, 16), dtype=np.int32) for _ in range(2)]
    inputs = [http.InferInput(f"INPUT{i}", [2, 16], "INT32") for i in range(2)]
    for tensor, array in zip(inputs, pair):
        tensor.set_data_from_numpy(array)
    waiting.append((pair, pool.async_infer("simple", inputs, timeout=10_000_000, priority=1, sequence_id=7)))
for (a, b), future in waiting:
    answer = future.get_result()
    assert same(answer.as_numpy("OUTPUT0"), a + b) and same(answer.as_numpy("OUTPUT1"), a - b)

# Classification, compared with numpy's order.
pixels = random.standard_normal((3, 3, 8, 8), dtype=np.float32)
tensor = http.InferInput("pixels", pixels.shape, "FP32")
tensor.set_data_from_numpy(pixels)
scores = client.infer("image", [tensor]).as_numpy("scores")
for raw in (True, False):
    output = http.InferRequestedOutput("scores", binary_data=raw, class_count=3)
    got = client.infer("image", [tensor], outputs=[output]).as_numpy("scores")
    for row, texts in zip(scores, got):
        best = np.argsort(-row, kind="stable")[:3]
        expected = [f"{row[index]:f}:{index}" for index in best]
        assert [text.decode() if isinstance(text, bytes) else text for text in texts] == expected

# A body generated beforehand, and its answer parsed separately.
body, length = http.InferenceServerClient.generate_request_body([tensor])
parsed = http.InferenceServerClient.parse_response_body
assert length is not None and len(body) > length

# Loading, with settings and a file; failures are reported.
with open(sys.argv[2], "rb") as file:
    model = file.read()
client.load_model("simple_int8", config='{"max_batch_size": 2}', files={"file:1/model.onnx": model})
assert client.get_model_config("simple_int8")["max_batch_size"] == 2
client.unload_model("simple_int8")
assert not client.is_model_ready("simple_int8")
client.load_model("simple_int8")
assert client.is_model_ready("simple_int8")
statistics = client.get_inference_statistics("simple")["model_stats"][0]
assert statistics["inference_count"] >= 200, statistics
for call in (
    lambda: client.infer("none", [tensor]),
    lambda: client.infer("simple", [tensor]),
    lambda: client.load_model("none"),
    lambda: client.get_system_shared_memory_status(),
):
    try:
        call()
    except InferenceServerException as refusal:
        assert refusal.message()
    else:
        raise AssertionError("it was answered")

print("every answer is as it should be")
