/**
 * A run's measurements reach the user: evaluate, history, TensorBoard.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Dataset, Source } from "@rai/core"
import { Effect, FileSystem } from "effect"
import { assert, beforeAll, describe, it } from "vitest"
import { ended, folder, heard, json, rai, start } from "./CommandLine.ts"

const place = folder()
const run = join(place, "run")
const table = join(place, "flowers.csv")
const rows = Array.from(
  { length: 90 },
  (_, i) => `${(i % 3) + Math.sin(i)},${Math.cos(i)},${["ant", "bee", "cat"][i % 3]}`
)

const events = (of: string) => readdirSync(of).filter((name) => name.includes("tfevents"))

beforeAll(async () => {
  writeFileSync(table, `size,other,kind\n${rows.join("\n")}\n`)
  const training = [
    "train",
    "--data",
    table,
    "--circuit",
    "2,8,8,3",
    "--activation",
    "tanh",
    "--plan",
    "relax:30:rprop=0.01"
  ]
  const { code, stderr, stdout } = await rai(...training, "--test", "0.3", "--out", run, "--tensorboard")
  assert.strictEqual(code, 0, stderr)
  assert.match(stdout, /^test data: accuracy [\d.]+ %, balanced [\d.]+ %; F1 [\d.]+, ROC AUC [\d.]+, log loss [\d.]+$/m)
})

describe("rai evaluate", () => {
  it("of two classes says whose F1 it is, as the run itself does", async () => {
    const [data, out] = [join(place, "payments.csv"), join(place, "payments")]
    const payments = Array.from({ length: 60 }, (_, i) => `${Math.sin(i)},${i % 10 === 0 ? "fraud" : "ok"}`)
    writeFileSync(data, `amount,kind\n${payments.join("\n")}\n`)
    const training = ["train", "--data", data, "--circuit", "1,4,1", "--plan", "backpropagate:20", "--test", "0.5"]
    const trained = await rai(...training, "--out", out)
    const { testMetrics } = JSON.parse(readFileSync(join(out, "summary.json"), "utf8"))
    const said = `; F1 of «ok» ${testMetrics.f1OfClasses[1].toFixed(4)}, ROC AUC `
    assert.include(trained.stdout, said, trained.stderr)
    assert.include((await rai("evaluate", out)).stdout, said)
  })

  it("of a run: its test data, as its summary has them; in words the confusion of the classes by name", async () => {
    const { of, data, classNames, ...metrics } = json(await rai("evaluate", run, "--json"))
    assert.deepStrictEqual([of, data, classNames], [run, "the test data", ["ant", "bee", "cat"]])
    const { testAccuracy, testLoss, testMetrics } = JSON.parse(readFileSync(join(run, "summary.json"), "utf8"))
    assert.strictEqual(metrics.examples, 27)
    assert.deepStrictEqual(metrics.confusion, testMetrics.confusion)
    assert.approximately(metrics.accuracy, testAccuracy, 1e-12)
    // The log loss is the task's loss.
    assert.approximately(metrics.logLoss, testLoss, 1e-5)
    const picture = join(place, "confusion.svg")
    const { stdout } = await rai("evaluate", run, "--out", picture)
    for (const name of ["ant", "bee", "cat"]) assert.include(readFileSync(picture, "utf8"), `>${name}</text>`)
    assert.isTrue(existsSync(join(run, "confusion.png")))
    assert.match(stdout, /^27 examples of the test data\naccuracy .*\n\ntrue class .* ant .* bee .* cat .* F1\n/)
  })

  it("of a run whose data have changed since says so, and so does its export", async () => {
    const model = join(place, "changed.onnx")
    const warning = /^warning: the run's test data have changed since it began: /m
    assert.notMatch((await rai("evaluate", run)).stderr, /changed/)
    assert.notMatch((await rai("export", run, "--out", model)).stderr, /changed/)
    const before = readFileSync(table, "utf8")
    // One number of one row, which the split put into the test part: accuracies need not show such a change.
    writeFileSync(table, before.replace(/\n[^,]+,/, "\n0.5,"))
    const both = [await rai("evaluate", run), await rai("export", run, "--out", model)]
    writeFileSync(table, before)
    for (const { code, stderr } of both) {
      assert.strictEqual(code, 0, stderr)
      assert.match(stderr, warning)
    }
  })

  it("of a run whose test data have two categories swapped says that they have changed", async () => {
    const [learned, tested, out] = ["colours.csv", "tested.csv", "colours"].map((name) => join(place, name)) as [
      string,
      string,
      string
    ]
    const colours = (...of: ReadonlyArray<string>) => `colour,size,kind\n${of.map((row) => `${row}\n`).join("")}`
    writeFileSync(learned, colours("red,1,ant", "blue,2,bee", "red,3,ant", "blue,4,bee"))
    writeFileSync(tested, colours("red,2,ant", "blue,1,bee", "blue,3,bee"))
    const training = ["train", "--data", learned, "--categorical", "colour", "--test", tested, "--out", out]
    const small = ["--circuit", "3,4,1", "--plan", "backpropagate:5", "--engine", "onnx"]
    const { code, stderr } = await rai(...training, ...small)
    assert.strictEqual(code, 0, stderr)
    assert.notMatch((await rai("evaluate", out)).stderr, /changed/)
    writeFileSync(tested, colours("blue,2,ant", "red,1,bee", "red,3,bee"))
    assert.match((await rai("evaluate", out)).stderr, /^warning: the run's test data have changed since it began: /m)
  })

  it("of a run of an earlier version, without digests, tells changed data by another accuracy", async () => {
    const [old, changed] = [join(place, "old"), join(place, "changed.csv")]
    cpSync(run, old, { recursive: true })
    const of = (data: string) => {
      const { digests, ...settings } = JSON.parse(readFileSync(join(run, "settings.json"), "utf8"))
      assert.hasAllKeys(digests, ["training", "test"])
      writeFileSync(join(old, "settings.json"), JSON.stringify({ ...settings, data }))
    }
    of(table)
    assert.strictEqual((await rai("evaluate", old)).stderr, "")
    // Sizes tell the classes apart: now each has another's.
    const turned = rows.map((row, i) => [row.split(",")[0]!, ...rows[(i + 1) % 90]!.split(",").slice(1)].join())
    writeFileSync(changed, `size,other,kind\n${turned.join("\n")}\n`)
    of(changed)
    const { stderr, stdout } = await rai("evaluate", old, "--json")
    const { testAccuracy } = JSON.parse(readFileSync(join(run, "summary.json"), "utf8"))
    const { accuracy } = JSON.parse(stdout)
    assert.isBelow(accuracy, testAccuracy - 0.1)
    const [was, is] = [testAccuracy, accuracy].map((of: number) => of.toFixed(4))
    assert.include(
      stderr,
      `warning: the run measured an accuracy of ${was} on its test data, and this is ${is}: have the`
    )
  })

  it("of an exported model, on the same data, the same; without data, one line", async () => {
    const model = join(place, "flowers.onnx")
    assert.strictEqual((await rai("export", run, "--out", model)).code, 0)
    const [ofRun, ofModel] = [
      json(await rai("evaluate", run, "--data", table, "--json")),
      json(await rai("evaluate", model, "--data", table, "--json"))
    ]
    assert.strictEqual(ofModel.examples, 90)
    assert.deepStrictEqual(ofModel.confusion, ofRun.confusion)
    for (const name of ["accuracy", "balancedAccuracy", "f1", "rocAuc", "logLoss"]) {
      assert.approximately(ofModel[name], ofRun[name], 1e-5, name)
    }
    const { code, stderr } = await rai("evaluate", model)
    assert.strictEqual(code, 2)
    assert.match(stderr, /^error: expected --data for a model, which keeps none, but none came; add it/)
  })

  it("on a file with its columns in another order, others between them, and without one of the classes", async () => {
    const some = rows.filter((row) => !row.endsWith("cat"))
    const [plain, mixed] = [join(place, "some.csv"), join(place, "mixed.csv")]
    writeFileSync(plain, `size,other,kind\n${some.join("\n")}\n`)
    const moved = some.map((row) => row.split(",")).map(([size, other, kind]) => `${kind},${other},7,${size}`)
    writeFileSync(mixed, `kind,other,note,size\n${moved.join("\n")}\n`)
    const model = join(place, "again.onnx")
    assert.strictEqual((await rai("export", run, "--out", model)).code, 0)
    const asTrained = json(await rai("evaluate", run, "--data", plain, "--json"))
    assert.deepStrictEqual([asTrained.confusion.length, asTrained.examples, asTrained.rocAuc], [3, 60, null])
    for (const of of [run, model]) {
      const { confusion, logLoss } = json(await rai("evaluate", of, "--data", mixed, "--label", "kind", "--json"))
      assert.deepStrictEqual(confusion, asTrained.confusion)
      assert.approximately(logLoss, asTrained.logLoss, 1e-5)
    }
    const faults = [
      [mixed, [], /mixed.csv, line 1: expected one column beside the inputs «size», «other», the label's, but/],
      [mixed, ["--label", "sort"], /mixed.csv, line 1: expected a label column «sort», but the columns are/],
      [plain, ["--label", "size"], /line 1: expected a label column that is no input, but «size» is one; name another/],
      [
        join(place, "strange.csv"),
        [],
        /strange.csv, line 2, column «kind»: expected one of the classes «ant», «bee», «cat», but «dog» came/
      ],
      [
        join(place, "unlabelled.csv"),
        [],
        /line 1: expected one column beside the inputs «size», «other», the label's, but each column is an input; add the column of labels, or use rai predict/
      ],
      [
        join(place, "short.csv"),
        [],
        /line 1: expected an input column «other», but the columns are «size», «kind»; add it/
      ]
    ] as const
    writeFileSync(join(place, "strange.csv"), "size,other,kind\n1,2,dog\n")
    writeFileSync(join(place, "unlabelled.csv"), "size,other\n1,2\n")
    writeFileSync(join(place, "short.csv"), "size,kind\n1,ant\n")
    for (const [file, more, message] of faults) {
      const { code, stderr } = await rai("evaluate", run, "--data", file, ...more)
      assert.strictEqual(code, 1)
      assert.match(stderr, message)
    }
  })

  it("on data with other columns: one line", async () => {
    const { code, stderr } = await rai("evaluate", run, "--data", "moons-100")
    assert.strictEqual(code, 1)
    assert.match(stderr, /^error: expected data as it was trained on \(inputs size, other; classes ant, bee, cat\)/)
  })
})

describe("rai history", () => {
  it("is a table, JSON by columns, and CSV", async () => {
    const csv = join(place, "history.csv")
    const { code, stderr, stdout } = await rai("history", run, "--csv", csv)
    assert.strictEqual(code, 0, stderr)
    const [head, first] = stdout.split("\n")
    assert.match(head!, /^phase +step +time +relaxed loss +free-run loss +accuracy +largest residual$/)
    assert.match(first!, /^relax +0 /)
    const { freeRunLoss, phase, total } = json(await rai("history", run, "--json"))
    assert.deepStrictEqual(total, [0, 10, 20, 30])
    assert.deepStrictEqual(phase, ["relax", "relax", "relax", "relax"])
    const lines = readFileSync(csv, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","))
    const column = lines[0]!.indexOf("freeRunLoss")
    assert.deepStrictEqual(
      lines.slice(1).map((line) => Number(line[column])),
      freeRunLoss
    )
  })

  it("of no run, of several: one line", async () => {
    const many = join(place, "many")
    mkdirSync(join(many, "seed-0"), { recursive: true })
    assert.match((await rai("history", many)).stderr, /holds those of 1 seeds; name one of .*many\/seed-0/)
    const { code, stderr } = await rai("history", place)
    assert.strictEqual(code, 1)
    assert.match(stderr, /^error: expected measurements of a run in .*, but there are none; name a folder/)
  })
})

describe("rai train --validation --patience", () => {
  it("ends early, and keeps and exports what was the best on the validation data", async () => {
    const [out, model, held] = ["early", "early.onnx", "held.csv"].map((name) => join(place, name)) as [
      string,
      string,
      string
    ]
    const noisy = "moons:n=60,noise=0.5,seed=4"
    const plan = [
      "--circuit",
      "2,32,32,1",
      "--activation",
      "tanh",
      "--plan",
      "backpropagate:2000:rprop=0.01:interval=1"
    ]
    const early = ["--validation", "0.3", "--patience", "20"]
    const { code, stderr } = await rai("train", "--data", noisy, ...plan, ...early, "--out", out)
    assert.strictEqual(code, 0, stderr)
    const { steps, validationLoss } = JSON.parse(readFileSync(join(out, "summary.json"), "utf8"))
    const losses = json(await rai("history", out, "--json")).validationLoss as ReadonlyArray<number>
    const best = losses.indexOf(Math.min(...losses))
    assert.strictEqual(validationLoss, losses[best])
    assert.strictEqual(steps, best + 20)
    // The division is decided by a seed, so the same part can be made again, and asked of the exported model.
    const split = Effect.flatMap(Source.read(noisy), Dataset.split({ share: 0.3 }))
    const { test } = await Effect.runPromise(Effect.provide(split, FileSystem.layerNoop({})))
    const lines = Array.from({ length: Dataset.examples(test) }, (_, i) =>
      [...test.inputs.data.subarray(2 * i, 2 * i + 2), test.targets.data[i]].join()
    )
    writeFileSync(held, `x1,x2,label\n${lines.join("\n")}\n`)
    assert.strictEqual((await rai("export", out, "--out", model)).code, 0)
    const { logLoss } = json(await rai("evaluate", model, "--data", held, "--json"))
    assert.approximately(logLoss, losses[best]!, 1e-5)
    assert.isBelow(losses[best]!, losses.at(-1)! - 1e-4)
  })
})

describe("the pictures of a run", () => {
  it("one that cannot be written costs a warning, and not the run", async () => {
    const out = join(place, "pictures")
    const child = start(
      ..."train --data moons-100 --circuit 2,32x20,1 --plan relax:500 --engine onnx".split(" "),
      "--out",
      out
    )
    const over = ended(child)
    await heard(child, "relax 0/500")
    mkdirSync(join(out, "landscape.png"))
    const { code, stderr } = await over
    assert.strictEqual(code, 0, stderr)
    assert.match(
      stderr,
      /\nwarning: landscape\.png is missing: .*landscape\.png.*: expected to write here, but a folder stands there; check/
    )
    for (const file of ["landscape.svg", "loss.png", "summary.json"]) assert.isTrue(existsSync(join(out, file)), file)
    assert.deepStrictEqual(
      readdirSync(out).filter((file) => file.startsWith("checkpoint")),
      []
    )
  })
})

describe("rai train --tensorboard", () => {
  const small = ["train", "--data", "xor", "--circuit", "2,4,1", "--plan", "relax:20", "--seed", "3"]

  it("in the run's folder, in a folder that follows, and one below it for each seed", async () => {
    const [file, ...others] = events(join(run, "tensorboard"))
    assert.deepStrictEqual(others, [])
    const bytes = readFileSync(join(run, "tensorboard", file!))
    for (const tag of ["loss/free run", "accuracy/free run", "residual/largest of the cuts"])
      assert.isAbove(bytes.indexOf(tag), 0, tag)
    // Its pictures, each a PNG.
    assert.isAbove(bytes.indexOf(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])), 0)
    const named = join(place, "events")
    assert.strictEqual((await rai(...small, "--tensorboard", named)).code, 0)
    assert.strictEqual(events(named).length, 1)
    const seeds = join(place, "seeds")
    assert.strictEqual((await rai(...small.slice(0, -2), "--seeds", "0-1", `--tensorboard=${seeds}`)).code, 0)
    assert.deepStrictEqual(readdirSync(seeds).sort(), ["seed-0", "seed-1"])
  })

  it("a folder that cannot be one is refused before anything begins; none at all is wrong usage", async () => {
    const out = join(place, "never")
    const { code, stderr } = await rai(...small, "--out", out, "--tensorboard", join(table, "below"))
    assert.strictEqual(code, 1)
    assert.match(
      stderr,
      /^error: expected a folder that can be made and written to, but «.*» cannot \(a part of the path is a file\); name another\n$/
    )
    assert.isFalse(existsSync(out))
    const bare = await rai(...small, "--tensorboard")
    assert.strictEqual(bare.code, 2)
    assert.match(bare.stderr, /^error: expected a folder for event files, but --tensorboard came without one/)
  })

  it("a folder that is lost while it trains ends the event file, and not the run", async () => {
    const [out, lost] = [join(place, "kept"), join(place, "lost")]
    const longer = [
      "train",
      "--data",
      "moons-100",
      "--circuit",
      "2,32x20,1",
      "--plan",
      "relax:1000",
      "--engine",
      "onnx"
    ]
    const child = start(...longer, "--out", out, "--tensorboard", lost)
    const over = ended(child)
    await heard(child, "relax 0/1000")
    rmSync(lost, { recursive: true })
    const { code, stderr } = await over
    assert.strictEqual(code, 0, stderr)
    const warnings = stderr.split("\n").filter((line) => line.startsWith("warning: "))
    assert.strictEqual(warnings.length, 1, stderr)
    assert.match(warnings[0]!, /no such file or directory; name another; the run goes on without TensorBoard$/)
    assert.isTrue(existsSync(join(out, "loss.png")))
  })
})
