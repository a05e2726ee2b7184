/**
 * Checks each deployment file against its reader: always against a schema, and with the actual tools where this machine has them.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Ajv } from "ajv"
import { expect, test } from "vitest"
import { parse } from "yaml"

const file = (name: string) => join(import.meta.dirname, "../deploy", name)
const text = (name: string) => readFileSync(file(name), "utf8")
const main = join(import.meta.dirname, "../../cli/src/main.ts")

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "kserve.schema.json"), "utf8"))
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true }).addSchema(schema, "kserve")

/** Runs a tool on a file and returns its verdict; undefined, with a line of output, where the tool is not installed. */
const said = (tool: string, ...args: ReadonlyArray<string>) => {
  const { error, status, stderr, stdout } = spawnSync(tool, args, { encoding: "utf8" })
  if (error === undefined) return { status, output: `${stdout}${stderr}`.trim() }
  console.log(`${tool} is not on the PATH: its check is left out`)
  return undefined
}

/** Returns the flags that `rai serve` accepts. */
const known = () => {
  const { stdout } = spawnSync(process.execPath, [main, "serve", "--help"], { encoding: "utf8" })
  return new Set(stdout.match(/--[a-z][a-z-]+/g))
}

const flagsOf = (args: ReadonlyArray<string>) =>
  args.filter((arg) => arg.startsWith("--")).map((arg) => arg.split("=")[0]!)

test.each([
  ["runtime", "kserve-runtime.yaml"],
  ["service", "kserve-service.yaml"]
])("the %s is what KServe's schema says", (kind, name) => {
  const check = ajv.getSchema(`kserve#/definitions/${kind}`)!
  expect([check(parse(text(name))), check.errors]).toEqual([true, null])
  const wrong = text(name).replace("metadata:", "metdata:")
  expect(check(parse(wrong))).toBe(false)
})

test("the service asks for the runtime, in a format and a protocol that it has", () => {
  const { metadata, spec } = parse(text("kserve-runtime.yaml"))
  const { model } = parse(text("kserve-service.yaml")).spec.predictor
  expect(model.runtime).toBe(metadata.name)
  expect(spec.protocolVersions).toContain(model.protocolVersion)
  const formats: ReadonlyArray<{ readonly name: string; readonly version: string }> = spec.supportedModelFormats
  expect(formats.map(({ name, version }) => ({ name, version }))).toContainEqual(model.modelFormat)
})

test("all of them start the server with flags that it has", () => {
  const flags = known()
  const images = [...text("Dockerfile").matchAll(/^CMD (\[.*\])$/gm)].map(([, list]) => JSON.parse(list!))
  expect(images.length).toBe(2)
  const unit = /^ExecStart=(.*)$/m.exec(text("rai-serve.service"))![1]!.split(" ")
  const runtime = parse(text("kserve-runtime.yaml")).spec.containers[0].args
  for (const args of [...images, unit, runtime]) {
    expect(flagsOf(args).length).toBeGreaterThan(2)
    for (const flag of flagsOf(args)) expect(flags).toContain(flag)
  }
})

test("hadolint has nothing to say of the image", () => {
  const result = said("hadolint", file("Dockerfile"))
  if (result !== undefined) expect(result).toEqual({ status: 0, output: "" })
})

test("systemd takes the unit, and finds it well shut in", () => {
  // It looks for the program too, which a machine that is no server does not have there.
  const place = join(mkdtempSync(join(tmpdir(), "rai-unit-")), "rai-serve.service")
  writeFileSync(place, text("rai-serve.service").replace("/usr/bin/node", process.execPath))
  const verified = said("systemd-analyze", "verify", place)
  if (verified === undefined) return
  expect(verified).toEqual({ status: 0, output: "" })
  // From 0, shut in, to 10.
  const { output, status } = said("systemd-analyze", "security", "--offline=yes", "--threshold=20", place)!
  expect([status, output.split("\n").at(-1)]).toEqual([0, expect.stringMatching(/exposure level/)])
})
