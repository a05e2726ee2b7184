"""Tests a gRPC server with Triton's client and gRPC's own tools: `python tritonclient_test.py ADDRESS`; prints a line for each check that held."""

import queue
import sys

import grpc
import numpy as np
import tritonclient.grpc as triton
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tritonclient.utils import InferenceServerException

address = sys.argv[1]
client = triton.InferenceServerClient(address)
token = {"authorization": "Bearer secret"}


def given(name, array, datatype):
    tensor = triton.InferInput(name, array.shape, datatype)
    tensor.set_data_from_numpy(array)
    return tensor


def pair(rows=1, dtype=np.int32, datatype="INT32"):
    a = np.arange(rows * 16, dtype=dtype).reshape(rows, 16)
    b = np.ones_like(a)
    return a, b, [given("INPUT0", a, datatype), given("INPUT1", b, datatype)]


def refused(code, ask):
    try:
        ask()
    except InferenceServerException as error:
        assert error.status() == f"StatusCode.{code}", (code, error)
        return error.message()
    raise AssertionError(f"expected {code}")


assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("simple")
assert not client.is_model_ready("simple", "7") and not client.is_model_ready("none")
metadata = client.get_model_metadata("simple")
assert [(i.name, i.datatype, list(i.shape)) for i in metadata.inputs] == [(f"INPUT{i}", "INT32", [-1, 16]) for i in range(2)]
config = client.get_model_config("simple", as_json=True)["config"]
assert config["backend"] == "onnxruntime" and config["input"][0]["data_type"] == "TYPE_INT32", config
assert "statistics" in client.get_server_metadata().extensions
assert {model.name for model in client.get_model_repository_index().models} >= {"simple", "simple_string"}
refused("NOT_FOUND", lambda: client.get_model_metadata("none"))
print("metadata")

for rows in [1, 3, 8]:
    a, b, inputs = pair(rows)
    for compression in [None, "gzip", "deflate"]:
        result = client.infer("simple", inputs, request_id="7", compression_algorithm=compression, parameters={"note": "n"})
        assert (result.as_numpy("OUTPUT0") == a + b).all() and (result.as_numpy("OUTPUT1") == a - b).all()
        assert result.get_response().id == "7" and result.get_response().model_version == "1"
# Its config.json says "max_batch_size": 8.
refused("INVALID_ARGUMENT", lambda: client.infer("simple", pair(9)[2]))
a, b, inputs = pair(2, np.int8, "INT8")
assert (client.infer("simple_int8", inputs).as_numpy("OUTPUT0") == a + b).all()
only = client.infer("simple", pair()[2], outputs=[triton.InferRequestedOutput("OUTPUT1")])
assert only.as_numpy("OUTPUT0") is None and only.as_numpy("OUTPUT1").shape == (1, 16)
print("infer")

words = np.array([["ẑ", "", "a" * 1000] + ["x"] * 13], dtype=np.object_)
assert [w.decode() for w in client.infer("simple_identity", [given("INPUT0", words, "BYTES")]).as_numpy("OUTPUT0")[0]] == list(words[0])
zero = np.array([["he\x00llo"] * 16], dtype=np.object_)
assert client.infer("simple_identity", [given("INPUT0", zero, "BYTES")]).as_numpy("OUTPUT0")[0][0] == b"he\x00llo"
print("texts")

numbers = [
    np.array(values, dtype)
    for dtype, values in {
        np.bool_: [True, False, True], np.uint8: [0, 1, 255], np.uint16: [0, 1, 65535], np.uint32: [0, 1, 2**32 - 1],
        np.uint64: [0, 1, 2**64 - 1], np.int8: [-128, 0, 127], np.int16: [-32768, 0, 32767], np.int32: [-(2**31), 0, 1],
        np.int64: [-(2**63), 0, 2**63 - 1], np.float16: [0.1, np.inf, -2], np.float32: [0.1, np.nan, -np.inf], np.float64: [0.1, np.nan, 1e300],
    }.items()
] + [np.array(["a", "", "ẑ"], np.object_)]  # fmt: skip
names = [spec.name for spec in client.get_model_metadata("kinds").inputs]
inputs = [given(name, array, name) for name, array in zip(names, numbers)]
result = client.infer("kinds", inputs)
for name, array in zip(names, numbers):
    back = result.as_numpy(f"{name}_out")
    if name == "BYTES":
        assert [text.decode() for text in back] == list(array)
    else:
        assert back.dtype == array.dtype and np.array_equal(back, array, equal_nan=array.dtype.kind == "f"), (name, back)
print("kinds")

a, b, inputs = pair(2)
best = client.infer("simple", inputs, outputs=[triton.InferRequestedOutput("OUTPUT0", class_count=2)]).as_numpy("OUTPUT0")
assert best.tolist() == [[b"16:15", b"15:14"], [b"32:15", b"31:14"]], best
print("classification")

answers = queue.Queue()
client.start_stream(lambda result, error: answers.put((result, error)))
for i in range(20):
    client.async_stream_infer("none" if i == 7 else "simple", pair(i % 8 + 1)[2], request_id=str(i))
got = [answers.get(timeout=20) for _ in range(20)]
client.stop_stream()
assert [error is not None for _, error in got] == [i == 7 for i in range(20)]
for i, (result, _) in enumerate(got):
    if i != 7:
        assert result.get_response().id == str(i) and result.as_numpy("OUTPUT0").shape == (i % 8 + 1, 16)
        assert result.get_response().parameters["triton_final_response"].bool_param
print("stream")

statistics = client.get_inference_statistics("simple").model_stats[0]
assert statistics.inference_count >= 113 and statistics.inference_stats.success.count >= 28, statistics
assert statistics.execution_count <= statistics.inference_count and statistics.last_inference > 1_700_000_000_000
print("statistics")

refused("UNAUTHENTICATED", lambda: client.load_model("simple"))
client.load_model("simple", headers=token, config='{"max_batch_size": 4}')
assert client.get_model_config("simple").config.max_batch_size == 4
client.unload_model("simple", headers=token)
assert not client.is_model_ready("simple")
client.load_model("simple", headers=token)
assert client.is_model_ready("simple")
refused("INTERNAL", lambda: client.load_model("simple", headers=token, config="{}", files={"file:1/model.onnx": b"none"}))
assert client.is_model_ready("simple")
print("load")

channel = grpc.insecure_channel(address)
reflected = ProtoReflectionDescriptorDatabase(channel)
services = reflected.get_services()
pool = DescriptorPool(reflected)
for name in services:
    for method in pool.FindServiceByName(name).methods:
        assert method.input_type.full_name and method.output_type.full_name
assert pool.FindMessageTypeByName("inference.ModelConfig").fields_by_name["max_batch_size"].number == 4
print("reflection", len(services))

health = health_pb2_grpc.HealthStub(channel)
assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
watch = health.Watch(health_pb2.HealthCheckRequest(service="inference.GRPCInferenceService"))
assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
watch.cancel()
print("health")
