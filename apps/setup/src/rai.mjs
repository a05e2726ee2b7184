import * as Bundle from "./Bundle.mjs"
import * as Job from "./Job.mjs"
import * as Setup from "./Setup.mjs"

Setup.ensure()
  .then(Bundle.ensure)
  .then((file) => Job.become([file, ...process.argv.slice(2)]))
  .catch(Job.fail)
