"""Prints what TensorBoard itself reads from a folder of event files as JSON: `pip install tensorboard`, then `python tensorboard.py FOLDER`."""
import json
import os
import sys

# Keep this file's folder off the path: the file has the same name as the package.
sys.path = [place for place in sys.path if os.path.abspath(place or ".") != os.path.dirname(os.path.abspath(__file__))]
from tensorboard.backend.event_processing import event_accumulator as reader

events = reader.EventAccumulator(sys.argv[1], size_guidance={reader.SCALARS: 0, reader.IMAGES: 0})
events.Reload()
scalars = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
images = {tag: [[e.step, e.width, e.height] for e in events.Images(tag)] for tag in events.Tags()["images"]}
print(json.dumps({"scalars": scalars, "images": images}))
