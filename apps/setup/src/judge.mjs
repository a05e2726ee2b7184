import * as Job from "./Job.mjs"
import { at } from "./Repository.mjs"
import * as Setup from "./Setup.mjs"

Setup.ensure()
  .then(() => Job.become([at("apps", "conformance", "src", "judge.ts"), ...process.argv.slice(2)]))
  .catch(Job.fail)
