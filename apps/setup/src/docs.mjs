/**
 * `npm run docs`: the API reference of all published packages, as pages in `docs/` that need no network.
 */
import { spawnSync } from "node:child_process"
import * as Job from "./Job.mjs"
import { say } from "./Progress.mjs"
import { at, node, root } from "./Repository.mjs"
import * as Setup from "./Setup.mjs"

Setup.ensure()
  .then(() => {
    const folder = at("apps", "packaging")
    // Like dependency-cruiser, typedoc reads TypeScript through an API that TypeScript 7 no longer has.
    const hook = new URL("TypeScript6.mjs", import.meta.url).href
    const typedoc = at("apps", "packaging", "node_modules", "typedoc", "bin", "typedoc")
    const args = ["--import", hook, typedoc, "--options", folder, "--logLevel", "Warn"]
    const { status } = spawnSync(node, args, { cwd: root, env: Job.environment(), stdio: "inherit" })
    if (status === 0) say("docs/index.html")
    process.exitCode = status ?? 1
  })
  .catch(Job.fail)
