import * as Bundle from "./Bundle.mjs"
import * as Job from "./Job.mjs"
import { at } from "./Repository.mjs"
import * as Setup from "./Setup.mjs"

Setup.ensure()
  .then(Bundle.ensure) // so that no measured command has to build it
  .then(() => Job.become([at("apps", "bench", "src", "main.ts"), ...process.argv.slice(2)]))
  .catch(Job.fail)
