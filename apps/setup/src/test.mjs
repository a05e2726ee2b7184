/**
 * `npm test`: set-up, all checks, the tests of all packages; the last line is «N passed, N failed».
 */
import { delimiter } from "node:path"
import * as Checks from "./Checks.mjs"
import * as Job from "./Job.mjs"
import { canRewrite } from "./Progress.mjs"
import { root } from "./Repository.mjs"
import * as Results from "./Results.mjs"
import * as Setup from "./Setup.mjs"

/** @param {import("./Stamp.mjs").Stamp} stamp */
const environment = ({ native, pnpm }) => {
  const job = Job.environment()
  return {
    ...job,
    PATH: [job.PATH, pnpm].join(delimiter), // turbo runs the packages' scripts through pnpm
    pnpm_config_pm_on_fail: "ignore",
    pnpm_config_verify_deps_before_run: "false",
    TURBO_TELEMETRY_DISABLED: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
    DO_NOT_TRACK: "1",
    RAI_NATIVE: native?.engine // part of turbo's cache key: results of one engine do not hold for another
  }
}

/** @param {string} text */
const print = (text) => void process.stdout.write(`${text}\n`)

const isRewritten = canRewrite(process.stdout)

/**
 * Runs a check and prints its name, outcome and duration.
 * @param {Checks.Check} check
 * @param {NodeJS.ProcessEnv} env
 */
const report = async (check, env) => {
  const began = Date.now()
  if (isRewritten) process.stdout.write(`… ${check.name}`)
  const outcome = await Checks.run(check, env)
  if (isRewritten) process.stdout.write("\r\u001b[K")
  print(`${outcome.passed ? "✓" : "✗"} ${check.name} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
  return outcome
}

const main = async () => {
  const env = environment(await Setup.ensureAloud())
  let passed = 0
  let failed = 0
  for (const check of Checks.all) {
    const outcome = await report(check, env)
    if (outcome.passed) passed++
    else {
      failed++
      print(outcome.output)
    }
  }
  Results.clear(root)
  const run = await report(Checks.tests, env)
  const tests = Results.collect(root)
  for (const failure of tests.failures) print(`✗ ${failure}`)
  passed += tests.passed
  failed += tests.failed
  if (!run.passed && tests.failed === 0) {
    // Every test passed, yet the run failed: an error outside the tests.
    failed++
    print(run.output)
  }
  print(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

main().catch(Job.fail)
