/**
 * The results of the packages' tests, read from the JSON that vitest writes to `.results/tests.json` in each package.
 */
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join, relative } from "node:path"
import * as Stamp from "./Stamp.mjs"

/**
 * @typedef {{ readonly passed: number, readonly failed: number, readonly failures: ReadonlyArray<string> }} Outcome
 * @typedef {{ readonly fullName: string, readonly status: string, readonly failureMessages?: ReadonlyArray<string> }} Assertion
 * @typedef {{ readonly name: string, readonly status: string, readonly message?: string, readonly assertionResults: ReadonlyArray<Assertion> }} File
 */

const file = join(".results", "tests.json")

/** Packages whose manifest has a `test` script, as paths from `root`. @param {string} root */
export const tested = (root) =>
  Stamp.workspace(root).filter(
    (name) => JSON.parse(readFileSync(join(root, name, "package.json"), "utf8")).scripts?.test
  )

/** Removes the results of an earlier run, because a package without results counts as failed. @param {string} root */
export const clear = (root) => {
  for (const name of tested(root)) rmSync(join(root, name, file), { force: true })
}

/** Sums the outcomes of all packages. @param {string} root @returns {Outcome} */
export const collect = (root) => {
  const each = tested(root).map((name) => outcome(root, name))
  return {
    passed: each.reduce((sum, { passed }) => sum + passed, 0),
    failed: each.reduce((sum, { failed }) => sum + failed, 0),
    failures: each.flatMap(({ failures }) => failures)
  }
}

/** @param {string} root @param {string} name @returns {Outcome} */
const outcome = (root, name) => {
  const path = join(root, name, file)
  if (!existsSync(path)) return { passed: 0, failed: 1, failures: [`${name}: no results\n${indent(log(root, name))}`] }
  /** @type {ReadonlyArray<File>} */
  const files = JSON.parse(readFileSync(path, "utf8")).testResults
  if (files.length === 0) return { passed: 0, failed: 1, failures: [`${name}: no tests`] }
  const tests = files.flatMap((each) =>
    each.assertionResults.map((test) => ({ ...test, file: relative(root, each.name) }))
  )
  const failed = tests.filter(({ status }) => status === "failed")
  // A test file that fails to load has no tests to count.
  const broken = files.filter(
    (each) => each.status === "failed" && !each.assertionResults.some(({ status }) => status === "failed")
  )
  return {
    passed: tests.filter(({ status }) => status === "passed").length,
    failed: failed.length + broken.length,
    failures: [
      ...failed.map((test) => `${test.file} › ${test.fullName}\n${indent(test.failureMessages?.join("\n"))}`),
      ...broken.map((each) => `${relative(root, each.name)}\n${indent(each.message)}`)
    ]
  }
}

/** The last lines of the package's test log. @param {string} root @param {string} name */
const log = (root, name) => {
  const path = join(root, name, ".turbo", "turbo-test.log")
  return existsSync(path)
    ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-8).join("\n")
    : "its tests did not run"
}

/** Indents the first lines, without stack frames in Node or dependencies. @param {string} [text] */
const indent = (text = "") =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "" && !/node_modules|node:internal/.test(line))
    .slice(0, 12)
    .map((line) => `    ${line}`)
    .join("\n")
