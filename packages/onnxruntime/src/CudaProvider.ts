/**
 * onnxruntime's way to compute on CUDA, whose files its package does not bring along, and in readable words why it does not work here.
 */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

/** What is said of a provider that the runtime was built without. */
export const notBuilt = "not in this build"

/** The name of the first file that is not there; undefined where the provider is installed. */
export const missing = (): string | undefined => {
  const [prefix, suffix] = process.platform === "win32" ? ["", ".dll"] : ["lib", ".so"]
  const folder = new URL(
    `../bin/napi-v6/${process.platform}/${process.arch}/`,
    pathToFileURL(createRequire(import.meta.url).resolve("onnxruntime-node"))
  )
  return ["cuda", "shared"]
    .map((part) => `${prefix}onnxruntime_providers_${part}${suffix}`)
    .find((file) => !existsSync(new URL(file, folder)))
}

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
  return file === undefined
    ? "the CUDA provider's library does not load: a library that it needs (CUDA, cuDNN) is missing or of another version"
    : notInstalled(file)
}
