import * as Bundle from "./Bundle.mjs"
import * as Job from "./Job.mjs"
import * as Setup from "./Setup.mjs"

const run = async () => {
  await Setup.ensure()
  Job.become([await Bundle.ensure(), ...process.argv.slice(2)])
}

run().catch(Job.fail)
