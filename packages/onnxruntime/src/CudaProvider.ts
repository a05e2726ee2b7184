/**
 * onnxruntime's CUDA provider, whose files its npm package does not include, and readable explanations of why it does not work here.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath, pathToFileURL } from "node:url"

/** Error text for a provider that the runtime was built without. */
export const notBuilt = "not in this build"

const [prefix, suffix] = process.platform === "win32" ? ["", ".dll"] : ["lib", ".so"]

/** Files of the provider, which the runtime looks for beside its own. */
export const files = ["cuda", "shared"].map((part) => `${prefix}onnxruntime_providers_${part}${suffix}`)

/** Returns the folder of onnxruntime's package. */
export const packageFolder = (): URL =>
  new URL("../", pathToFileURL(createRequire(import.meta.url).resolve("onnxruntime-node")))

/** Returns the folder where the provider's files belong. */
export const folder = (): URL => new URL(`bin/napi-v6/${process.platform}/${process.arch}/`, packageFolder())

/** Returns the name of the first missing file; undefined if the provider is installed. */
export const missing = (): string | undefined => files.find((file) => !existsSync(new URL(file, folder())))

/** Returns the libraries that the provider needs and the system's loader does not find, according to `ldd`; empty where `ldd` is not available. */
export const unresolved = (): ReadonlyArray<string> => {
  const { stdout } = spawnSync("ldd", [fileURLToPath(new URL(files[0]!, folder()))], { encoding: "utf8" })
  return (stdout ?? "").split("\n").flatMap((line) => /^\s*(\S+) => not found/.exec(line)?.[1] ?? [])
}

/** The library that only NVIDIA's driver installs. */
export const driver = "libcuda.so.1"

/** Describes a missing file. */
export const notInstalled = (file: string): string => `the CUDA provider's library is not installed (${file} missing)`

/** Explains, in one line without paths, why the provider did not accept a model, from the runtime's own message. */
export const explain = (text: string): string => {
  if (text === notBuilt) return `onnxruntime has no CUDA provider for ${process.platform} on ${process.arch}`
  if (/no CUDA-capable device|CUDA driver|cudaGetDevice|CUDA failure (35|100)/i.test(text)) {
    return "no NVIDIA GPU with a fitting driver was found"
  }
  if (!/load|library/i.test(text)) return "the CUDA provider does not take the model"
  const file = missing()
  if (file !== undefined) return notInstalled(file)
  const names = unresolved()
  const others = names.filter((name) => name !== driver)
  if (others.length > 0) return `the CUDA provider's library does not load: it needs ${others.join(", ")}`
  return names.length > 0
    ? `no NVIDIA driver was found (${driver})`
    : "the CUDA provider's library does not load: a library that it needs (CUDA, cuDNN) is missing or of another version"
}
