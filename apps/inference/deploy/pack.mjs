/**
 * Packs the command line and the packages that it stands on into a folder: node apps/inference/deploy/pack.mjs FOLDER.
 */
import * as Package from "../../packaging/src/Package.ts"
import * as Packed from "../../packaging/src/Packed.ts"

const without = ["@rai/client", "@rai/conformance", "@rai/fp-ts"]
const packed = Packed.pack(
  process.argv[2],
  Package.all().filter(({ name }) => !without.includes(name))
)
for (const { bytes, name } of packed) process.stdout.write(`${name} ${(bytes / 1e6).toFixed(1)} MB\n`)
