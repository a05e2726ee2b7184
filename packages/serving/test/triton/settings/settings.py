"""Converts config.pbtxt to JSON with protobuf's own library and Triton's own schema: pip install tritonclient[grpc]==2.73.0"""

import pathlib

from google.protobuf import json_format, text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

here = pathlib.Path(__file__).parent
message = text_format.Parse((here / "config.pbtxt").read_text(), ModelConfig())
json = json_format.MessageToJson(message, preserving_proto_field_name=True, sort_keys=True)
(here / "config.json").write_text(json + "\n")
