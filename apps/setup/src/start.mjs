import * as Bundle from "./Bundle.mjs"
import * as Job from "./Job.mjs"
import * as Setup from "./Setup.mjs"

const start = async () => {
  await Setup.ensureAloud()
  Job.become([await Bundle.ensure(), "demo", ...process.argv.slice(2)])
}

start().catch(Job.fail)
