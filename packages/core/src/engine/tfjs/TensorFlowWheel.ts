/**
 * TensorFlow's shared libraries and C headers from one pinned Python wheel: the same numerics on every Linux x64 machine.
 */
import type * as Download from "./Download.ts"
import * as Wheel from "./Wheel.ts"

/** The wheel. */
export const pinned = {
  name: "tensorflow-cpu",
  version: "2.21.0",
  sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
  python: "3.11",
  abi: "cp311",
  platform: "manylinux_2_27_x86_64"
} as const satisfies Wheel.Wheel

/** The two libraries that the addon links against. */
export const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"] as const

/** Name of the cache folder that holds the extracted libraries and headers. */
export const folderName = Wheel.folderName(pinned)

/** Downloads the wheel into `folder` and verifies it. */
export const download = (python: string, folder: string, onProgress?: Download.OnProgress) =>
  Wheel.download(pinned, python, folder, onProgress)

const headers = ["tensorflow/c/", "tensorflow/core/platform/", "tsl/platform/", "xla/tsl/c/"]

// Once the leading `tensorflow/` is stripped: the libraries, and the headers of the C interface.
const wanted = [...libraries, ...headers.map((header) => `include/${header}`)].map((name) => `tensorflow/${name}`)

/** Extracts the libraries and C headers into `folder`, which appears only when complete; removes the wheel. */
export const extract = (python: string, wheel: string, folder: string) =>
  Wheel.extract(python, wheel, { folder, wanted })
