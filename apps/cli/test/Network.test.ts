/**
 * A network from elsewhere on the command line: trained from its own weights, exported again, used for prediction and drawn.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Program } from "@rai/core"
import { Graph, Model } from "@rai/export"
import { Effect } from "effect"
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
    assert.match(trained.stderr, /^\d maps, from its own weights$/m)
    const { freeRunAccuracy, parameters } = json(trained) as Record<string, number>
    assert.strictEqual(parameters, 465)
    assert.isAtLeast(freeRunAccuracy!, 0.98)
    const written = join(place, "again.onnx")
    assert.strictEqual((await rai("export", run, "--out", written)).code, 0)
    assert.strictEqual((await rai("verify", written)).code, 0)
    assert.strictEqual((await rai("diagram", run, "--out", join(place, "run.svg"))).code, 0)
    assert.match(readFileSync(join(place, "run.svg"), "utf8"), />Gemm</)
  })

  it("is float32 once it is exported, which is said where it took whole numbers", async () => {
    const program = Effect.runSync(Program.make({ z: ["n", 2] }, ({ z }) => ({ total: z.sum([1]) })))
    const graph = Effect.runSync(Graph.fromProgram(program))
    graph.input[0] = Model.value("z", ["n", 2], "int")
    graph.node[0]!.input[0] = "cast"
    graph.node.unshift(Model.node("Cast", "Cast", ["z"], "cast", { to: Model.DataType.FLOAT }))
    const whole = join(place, "whole.onnx")
    writeFileSync(whole, Model.encode(graph, { version: "0", metadata: {} }))
    const { code, stderr, stdout } = await rai("export", whole, "--out", join(place, "float.onnx"))
    assert.strictEqual(code, 0, stderr)
    assert.include(stdout.split("\n"), "the input «z» is float32 now, int64 in the original")
  })

  it("starts from its own weights", async () => {
    const same = await rai("predict", model, "--input", points, "--engine", "onnx")
    const numbers = (text: string) => text.trim().split("\n").slice(1).map(Number)
    for (const engine of ["auto", "tfjs", "tfjs-wasm", "reference"]) {
      const scores = await rai("predict", model, "--input", points, "--engine", engine)
      assert.strictEqual(scores.code, 0, scores.stderr)
      assert.strictEqual(numbers(scores.stdout).length, 2)
      for (const [i, score] of numbers(scores.stdout).entries()) {
        assert.approximately(score, numbers(same.stdout)[i]!, 1e-5)
      }
    }
  })

  it("is told after which operators it can be cut, and that it is not there", async () => {
    const wrong = await train("--cut-after", "Convolve")
    assert.strictEqual(wrong.code, 2)
    assert.strictEqual(
      wrong.stderr,
      "error: expected --cut-after to name kinds of blocks or operators that the circuit has, but «Convolve» came; give some of linear, activation, residual, Gemm, Tanh, Add\n"
    )
    const started = await train("--start", "sweep")
    assert.strictEqual(started.code, 2)
    assert.match(started.stderr, /a network from elsewhere to start from its own weights, but --start sweep came too/)
    const drawn = await rai("landscape", model, "--out", join(place, "l.svg"))
    assert.match(drawn.stderr, /^error: expected a model with an output «probability», .* has «linear_7»; train it/)
    const missing = await rai("diagram", join(place, "none.onnx"), "--out", join(place, "none.svg"))
    assert.strictEqual(missing.code, 1)
    assert.match(
      missing.stderr,
      /^error: .*none\.onnx: expected a file to read, but it is not there; check the path\n$/
    )
  })
})

it("outputs that are left out are told", async () => {
  const classifier = join(networks, "sklearn-classifier-binary.onnx")
  const four = join(place, "four.csv")
  writeFileSync(four, "a,b,c,d\n1,2,3,4\n")
  const told = /^outputs of .*\.onnx: probabilities kept, label left out$/m
  assert.match((await rai("export", classifier, "--out", join(place, "c.onnx"))).stderr, told)
  assert.match((await rai("predict", classifier, "--input", four, "--engine", "tfjs")).stderr, told)
  assert.strictEqual((await rai("predict", classifier, "--input", four)).stderr, "")
})

const points = join(place, "points.csv")
writeFileSync(points, "a,b\n0.5,-0.25\n1,2\n")

describe("a layers-model of TensorFlow.js", () => {
  const at = join(place, "layers")
  mkdirSync(at)
  const dense = (name: string, inputs: number, units: number, activation: string) => ({
    layer: { class_name: "Dense", config: { name, units, activation, batch_input_shape: [null, inputs] } },
    weights: [
      { name: `${name}/kernel`, shape: [inputs, units], dtype: "float32" },
      { name: `${name}/bias`, shape: [units], dtype: "float32" }
    ]
  })
  const layers = [dense("first", 2, 8, "tanh"), dense("second", 8, 8, "tanh"), dense("last", 8, 1, "sigmoid")]
  const modelTopology = { class_name: "Sequential", config: { name: "s", layers: layers.map(({ layer }) => layer) } }
  const weightsManifest = [{ paths: ["weights.bin"], weights: layers.flatMap(({ weights }) => weights) }]
  writeFileSync(join(at, "model.json"), JSON.stringify({ modelTopology, weightsManifest }))
  writeFileSync(
    join(at, "weights.bin"),
    Float32Array.from({ length: 105 }, (_, i) => Math.sin(7 * i))
  )

  it("is written as an ONNX model that answers alike, and verified", async () => {
    const written = join(place, "layers.onnx")
    const exported = await rai("export", at, "--out", written)
    assert.strictEqual(exported.code, 0, exported.stderr)
    assert.strictEqual((await rai("verify", written)).code, 0)
    const answers = await Promise.all(
      [
        [at, "--input", points],
        [join(at, "model.json"), "--input", points, "--engine", "tfjs"],
        [written, "--input", points]
      ].map(async (given) => {
        const { code, stderr, stdout } = await rai("predict", ...given)
        assert.strictEqual(code, 0, stderr)
        return stdout.trim().split("\n").slice(1).map(Number)
      })
    )
    assert.strictEqual(answers[0]!.length, 2)
    for (const answer of answers) {
      for (const [i, value] of answer.entries()) assert.approximately(value, answers[0]![i]!, 1e-5)
    }
    assert.strictEqual((await rai("diagram", at, "--out", join(place, "layers.svg"))).code, 0)
  })

  it("is trained up to its logit, of which its sigmoid is the probability again", async () => {
    const run = join(place, "layers-run")
    const trained = await rai(
      "train",
      "--data",
      "moons-100",
      "--circuit",
      at,
      "--engine",
      "tfjs-wasm",
      "--out",
      run,
      "--json"
    )
    assert.strictEqual(trained.code, 0, trained.stderr)
    assert.match(trained.stderr, /^\d maps, from its own weights$/m)
    const { freeRunAccuracy, parameters } = json(trained) as Record<string, number>
    assert.strictEqual(parameters, 105)
    assert.isAtLeast(freeRunAccuracy!, 0.98)
    const untrained = join(place, "untrained")
    const still = ["--plan", "backpropagate:1:sgd=1e-9", "--engine", "tfjs-wasm"]
    const kept = await rai("train", "--data", "moons-100", "--circuit", at, "--out", untrained, ...still)
    assert.strictEqual(kept.code, 0, kept.stderr)
    const written = join(place, "untrained.onnx")
    assert.strictEqual((await rai("export", untrained, "--out", written)).code, 0)
    const [as, of] = await Promise.all([written, at].map((model) => rai("predict", model, "--input", points)))
    const probabilities = as!.stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => Number(line.split(",")[1]))
    for (const [i, p] of probabilities.entries()) {
      assert.approximately(p, Number(of!.stdout.trim().split("\n")[i + 1]), 1e-5)
    }
  })
})
