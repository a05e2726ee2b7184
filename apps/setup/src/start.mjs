import * as Bundle from "./Bundle.mjs"
import * as Job from "./Job.mjs"
import * as Setup from "./Setup.mjs"

Setup.ensureAloud()
  .then(Bundle.ensure)
  .then((file) => Job.become([file, "demo", ...process.argv.slice(2)]))
  .catch(Job.fail)
