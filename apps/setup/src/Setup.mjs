/**
 * Self-healing set-up: reads its stamp, does what is missing, and reports how long it took.
 */
import * as Lock from "./Lock.mjs"
import * as Native from "./Native.mjs"
import * as Packages from "./Packages.mjs"
import { say } from "./Progress.mjs"
import * as Stamp from "./Stamp.mjs"

/** Makes sure that everything is installed, and returns the stamp, which includes the state of the native library. */
export const ensure = async () => {
  const stamp = Stamp.read()
  if (Packages.isCurrent(stamp) && Native.isCurrent(stamp)) return stamp
  await Lock.hold(async (name) => {
    const began = Date.now()
    let downloading = 0
    if (!Packages.isCurrent(Stamp.read())) downloading += await Packages.install(name)
    if (!Native.isCurrent(Stamp.read())) downloading += await Native.install(name)
    const seconds = Math.round((Date.now() - began) / 1000)
    say(`set-up: ${seconds} s, of which ${Math.min(seconds, Math.round(downloading))} s downloading`)
  })
  return Stamp.read()
}

/** Like `ensure`, and prints which engine is used instead where the native one is not available. */
export const ensureAloud = async () => {
  const stamp = await ensure()
  if (stamp.native?.engine === "wasm") say(`set-up: ${stamp.native.line}`)
  return stamp
}
