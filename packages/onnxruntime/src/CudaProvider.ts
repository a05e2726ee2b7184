/**
 * onnxruntime's way to compute on CUDA, whose files its package does not bring along, and in readable words why it does not work here.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath, pathToFileURL } from "node:url"

/** What is said of a provider that the runtime was built without. */
export const notBuilt = "not in this build"

const [prefix, suffix] = process.platform === "win32" ? ["", ".dll"] : ["lib", ".so"]

/** The provider's files, which the runtime looks for beside its own. */
export const files = ["cuda", "shared"].map((part) => `${prefix}onnxruntime_providers_${part}${suffix}`)

/** The folder of onnxruntime's package. */
export const packageFolder = (): URL =>
  new URL("../", pathToFileURL(createRequire(import.meta.url).resolve("onnxruntime-node")))

/** The folder where they belong. */
export const folder = (): URL => new URL(`bin/napi-v6/${process.platform}/${process.arch}/`, packageFolder())

/** The name of the first file that is not there; undefined where the provider is installed. */
export const missing = (): string | undefined => files.find((file) => !existsSync(new URL(file, folder())))

/** The libraries that the provider's own needs and the system's loader does not find, by `ldd`; none where that is not there to ask. */
export const unresolved = (): ReadonlyArray<string> => {
  const { stdout } = spawnSync("ldd", [fileURLToPath(new URL(files[0]!, folder()))], { encoding: "utf8" })
  return (stdout ?? "").split("\n").flatMap((line) => /^\s*(\S+) => not found/.exec(line)?.[1] ?? [])
}

/** The library that comes with NVIDIA's driver and with nothing else. */
export const driver = "libcuda.so.1"

/** What there is to say where a file is missing. */
export const notInstalled = (file: string): string => `the CUDA provider's library is not installed (${file} missing)`

/** Why the provider did not take a model, in one line without paths, from the runtime's own words. */
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
