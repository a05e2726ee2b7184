/**
 * The files of the CUDA provider, which onnxruntime's package does not bring along.
 */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

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
