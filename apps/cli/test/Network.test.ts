/**
 * A network from elsewhere on the command line: trained from its own weights, written again, predicted with and drawn.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { folder, json, rai } from "./CommandLine.ts"

const place = folder()
const networks = fileURLToPath(new URL("../../../packages/export/test/networks/", import.meta.url))
const model = join(place, "model.onnx")
copyFileSync(join(networks, "residual-deep.onnx"), model)

const train = (...more: ReadonlyArray<string>) =>
  rai("train", "--data", "moons-100", "--circuit", model, "--engine", "tfjs-wasm", ...more)

describe("a model from PyTorch", () => {
  it("is relaxed after its maps, exported and verified", async () => {
    const run = join(place, "run")
    const trained = await train("--cut-after", "Gemm,MatMul", "--out", run, "--json")
    assert.strictEqual(trained.code, 0, trained.stderr)
    const { freeRunAccuracy, parameters } = json(trained) as Record<string, number>
    assert.strictEqual(parameters, 465)
    assert.isAtLeast(freeRunAccuracy!, 0.98)
    const written = join(place, "again.onnx")
    assert.strictEqual((await rai("export", run, "--out", written)).code, 0)
    assert.strictEqual((await rai("verify", written)).code, 0)
    assert.strictEqual((await rai("diagram", run, "--out", join(place, "run.svg"))).code, 0)
    assert.match(readFileSync(join(place, "run.svg"), "utf8"), />Gemm</)
  })

  it("starts from its own weights", async () => {
    const scores = await rai("predict", model, "--input", points, "--engine", "tfjs")
    const same = await rai("predict", model, "--input", points, "--engine", "onnx")
    assert.strictEqual(scores.code, 0, scores.stderr)
    const numbers = (text: string) => text.trim().split("\n").slice(1).map(Number)
    assert.strictEqual(numbers(scores.stdout).length, 2)
    for (const [i, score] of numbers(scores.stdout).entries()) {
      assert.approximately(score, numbers(same.stdout)[i]!, 1e-5)
    }
  })

  it("is told after which operators it can be cut, and that it is not there", async () => {
    const wrong = await train("--cut-after", "Convolve")
    assert.strictEqual(wrong.code, 2)
    assert.strictEqual(
      wrong.stderr,
      "error: expected --cut-after to name kinds of blocks or operators that the circuit has, but «Convolve» came; give some of linear, activation, residual, Gemm, Tanh, Add\n"
    )
    const missing = await rai("diagram", join(place, "none.onnx"), "--out", join(place, "none.svg"))
    assert.strictEqual(missing.code, 1)
    assert.match(
      missing.stderr,
      /^error: .*none\.onnx: expected a file to read, but it is not there; check the path\n$/
    )
  })
})

const points = join(place, "points.csv")
writeFileSync(points, "a,b\n0.5,-0.25\n1,2\n")
