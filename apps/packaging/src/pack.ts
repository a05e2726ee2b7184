/**
 * Packs the published packages into a folder: `node apps/packaging/src/pack.ts FOLDER`.
 */
import * as Packed from "./Packed.ts"

const [, , folder] = process.argv
if (folder === undefined) throw new Error("expected a folder for the packages, but none came; name one")
for (const { bytes, name } of Packed.pack(folder)) process.stdout.write(`${name} ${(bytes / 1e6).toFixed(1)} MB\n`)
