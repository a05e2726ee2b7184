import { pathToFileURL } from "node:url"
import * as Bundle from "./Bundle.mjs"
import * as Job from "./Job.mjs"
import * as Setup from "./Setup.mjs"

const args = process.argv.slice(2)

/** Whether to run in this process: it is Node 24, and the command computes nothing. */
const isHere =
  Number.parseInt(process.versions.node, 10) === 24 &&
  (args.length === 0 || args.some((arg) => ["--help", "-h", "--version"].includes(arg)))

Setup.ensure()
  .then(Bundle.ensure)
  .then((file) => (isHere ? import(pathToFileURL(file).href) : Job.become([file, ...args])))
  .catch(Job.fail)
