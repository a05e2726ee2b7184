/**
 * A folder for models, removed at the end of the test.
 */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { fixtures } from "./Client.ts"

/** Makes the folder and returns its path; it is removed with the scope. */
export const make = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "models-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** Puts a fixture or other content at a path atomically, as a deployment should. */
export const put = (folder: string, place: string, content: { readonly model: string } | string) => {
  const file = join(folder, place)
  mkdirSync(dirname(file), { recursive: true })
  if (typeof content === "string") writeFileSync(`${file}.part`, content)
  else cpSync(join(fixtures, `${content.model}.onnx`), `${file}.part`)
  renameSync(`${file}.part`, file)
}
