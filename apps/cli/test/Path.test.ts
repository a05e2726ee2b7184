/**
 * The whole path: train, export, verify, predict, landscape, serve.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { assert, beforeAll, describe, it } from "vitest"
import * as TrainSettings from "../src/TrainSettings.ts"
import { ended, folder, json, main, rai, start } from "./CommandLine.ts"

const place = folder()
const run = join(place, "run")
const model = join(place, "models", "moons.onnx")

const train = (...more: ReadonlyArray<string>) =>
  rai("train", "--data", "moons-100", "--circuit", "2,16x4,1", "--activation", "tanh", ...more)

describe("from data to a served circuit", () => {
  let summary: Record<string, unknown>

  beforeAll(async () => {
    const outcome = await train("--test", "moons:n=300,noise=0.1,seed=7", "--out", run, "--json")
    assert.strictEqual(outcome.code, 0, outcome.stderr)
    summary = json(outcome)
  })

  it("train --json gives one object with what COMMANDS promises", () => {
    for (const field of [
      "seed",
      "engine",
      "parameters",
      "steps",
      "seconds",
      "stepsPerSecond",
      "relaxedLoss",
      "freeRunLoss",
      "freeRunAccuracy",
      "relaxationGap",
      "testLoss",
      "testAccuracy",
      "run"
    ]) {
      assert.property(summary, field)
    }
    assert.isAtLeast(summary.testAccuracy as number, 0.97)
    assert.strictEqual(summary.run, run)
  })

  it("--circuit takes a run's circuit, and --compare keeps the table in its summary", async () => {
    const out = join(place, "again")
    const again = ["train", "--data", "moons-100", "--circuit", join(run, "circuit.json"), "--out", out, "--json"]
    const outcome = await rai(...again, "--compare")
    assert.strictEqual(outcome.code, 0, outcome.stderr)
    const compared = json(outcome)
    // The same circuit from the same seed and plan ends at the same loss.
    assert.strictEqual(compared.freeRunLoss, summary.freeRunLoss)
    assert.strictEqual(compared.parameters, summary.parameters)
    const { freeRunLoss } = compared.backpropagation as { readonly freeRunLoss: number }
    assert.isAbove(freeRunLoss, 0)
    assert.notStrictEqual(freeRunLoss, compared.freeRunLoss)
    assert.deepStrictEqual(JSON.parse(readFileSync(join(out, "summary.json"), "utf8")), compared)
    assert.deepStrictEqual(json(await rai("train", "--out", out, "--resume", "--json")), compared)
  })

  it("the folder holds circuit, metrics, summary, settings and pictures, and no checkpoint of a finished run", () => {
    const files = readdirSync(run)
    for (const name of [
      "circuit.json",
      "metrics.jsonl",
      "summary.json",
      "settings.json",
      "landscape.png",
      "loss.svg",
      "gradients.svg",
      "residuals.png"
    ]) {
      assert.include(files, name)
    }
    assert.isFalse(files.some((name) => name.startsWith("checkpoint")))
    const rows = readFileSync(join(run, "metrics.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.isAbove(rows.length, 2)
    assert.property(rows[1], "residuals")
  })

  it("a finished run is not trained again", async () => {
    const again = await rai("train", "--out", run, "--resume", "--json")
    assert.strictEqual(again.code, 0, again.stderr)
    assert.deepStrictEqual(json(again), summary)
  })

  it("export, verify, predict, landscape, serve", async () => {
    const { mkdirSync } = await import("node:fs")
    mkdirSync(join(place, "models"))
    const exported = await rai("export", run, "--out", model, "--json")
    assert.strictEqual(exported.code, 0, exported.stderr)
    const record = json(exported)
    assert.strictEqual(record.opset, 21)
    assert.isTrue(existsSync(join(place, "models", "moons.parity.json")))

    const verified = json(await rai("verify", model, "--json"))
    assert.strictEqual(verified.sha256, record.sha256)
    assert.strictEqual(verified.examples, record.examples)

    const apart = join(place, "apart.onnx")
    const wrote = await rai("export", run, "--out", apart, "--external-data")
    assert.strictEqual(wrote.code, 0, wrote.stderr)
    assert.match(wrote.stdout, /its weights lie beside it, in apart\.onnx\.data: keep the two together\n/)
    assert.strictEqual((await rai("verify", apart)).code, 0)
    const weights = readFileSync(`${apart}.data`)
    weights[weights.length / 2]! ^= 1
    writeFileSync(`${apart}.data`, weights)
    const changed = await rai("verify", apart)
    assert.strictEqual(changed.code, 1)
    assert.match(changed.stderr, /^error: .*apart\.onnx\.data: expected the file whose SHA-256 its parity record holds/)

    // Columns in another order and one more, as tables come.
    const points = join(place, "points.csv")
    writeFileSync(points, "x2,name,x1\n1.0,a,0.0\n-0.5,b,1.0\n")
    const predicted = await rai("predict", model, "--input", points)
    assert.strictEqual(predicted.code, 0, predicted.stderr)
    const [header, upper, lower] = predicted.stdout.trimEnd().split("\n")
    assert.strictEqual(header, "class,probability")
    assert.match(upper!, /^0,/)
    assert.match(lower!, /^1,/)
    // A socket, as Node gives a child; and a pipe, as a shell does.
    const child = start("predict", model, "--input", "-")
    child.stdin!.end(readFileSync(points))
    assert.deepStrictEqual(await ended(child), predicted)
    const piped = spawn("bash", [
      "-c",
      'cat "$0" | "$@"',
      points,
      process.execPath,
      main,
      "predict",
      model,
      "--input",
      "-"
    ])
    assert.strictEqual((await ended(piped)).stdout, predicted.stdout)

    for (const [of, out] of [
      [run, "a.png"],
      [model, "b.svg"]
    ] as const) {
      const drawn = await rai("landscape", of, "--out", join(place, out))
      assert.strictEqual(drawn.code, 0, drawn.stderr)
    }
    assert.deepStrictEqual(
      [...readFileSync(join(place, "a.png")).subarray(1, 4)].map((c) => String.fromCharCode(c)).join(""),
      "PNG"
    )
    assert.match(readFileSync(join(place, "b.svg"), "utf8"), /^<svg/)

    const server = start("serve", join(place, "models"), "--port", "0")
    const closing = ended(server)
    const url = await new Promise<string>((resolve) => {
      let text = ""
      server.stderr?.on("data", (bytes) => {
        text += bytes
        const found = /http:\/\/[\d.]+:\d+/.exec(text)
        if (found !== null) resolve(found[0])
      })
    })
    const body = JSON.stringify({ inputs: [{ name: "x", shape: [1, 2], datatype: "FP32", data: [0, 1] }] })
    const response = await fetch(`${url}/v2/models/moons/infer`, { method: "POST", body })
    const answer = (await response.json()) as { outputs: ReadonlyArray<{ name: string; data: ReadonlyArray<number> }> }
    const probability = answer.outputs.find(({ name }) => name === "probability")!.data[0]!
    assert.approximately(probability, Number(upper!.split(",")[1]), 1e-6)
    server.kill("SIGTERM")
    assert.oneOf((await closing).code, [0, 130])
  })
})

describe("other tasks", () => {
  it("three classes from a CSV: probabilities by name", async () => {
    const at = folder()
    const rows = Array.from(
      { length: 60 },
      (_, i) => `${(i % 3) + 0.1 * Math.sin(i)},${Math.cos(i)},${["ant", "bee", "cat"][i % 3]}`
    )
    writeFileSync(join(at, "three.csv"), `size,other,kind\n${rows.join("\n")}\n`)
    const trained = await rai(
      "train",
      "--data",
      join(at, "three.csv"),
      "--circuit",
      "2,8,8,3",
      "--activation",
      "tanh",
      "--test",
      "0.2",
      "--out",
      join(at, "run"),
      "--json"
    )
    assert.strictEqual(trained.code, 0, trained.stderr)
    assert.isAtLeast(json(trained).testAccuracy, 0.9)
    const smaller = await rai("export", join(at, "run"), "--out", join(at, "s.onnx"), "--weights", "int8")
    assert.match(
      smaller.stdout,
      /weights in int8: at most [\d.]+ from those in float32 on [\d,]+ examples, another class for \d+ of them; accuracy on them [\d.]+ % instead of [\d.]+ %\n/
    )
    assert.strictEqual((await rai("export", join(at, "run"), "--out", join(at, "m.onnx"))).code, 0)
    const predicted = await rai(
      "predict",
      join(at, "m.onnx"),
      "--input",
      join(at, "three.csv"),
      "--out",
      join(at, "out.csv")
    )
    assert.strictEqual(predicted.code, 0, predicted.stderr)
    const [header, first] = readFileSync(join(at, "out.csv"), "utf8").split("\n")
    assert.strictEqual(header, "class,probability ant,probability bee,probability cat")
    assert.match(first!, /^ant,/)
  })

  it("regression: a value, as large as it comes", async () => {
    const at = folder()
    const rows = Array.from({ length: 40 }, (_, i) => `${i / 20 - 1},${3e6 + 1e6 * (i / 20 - 1) ** 2}`)
    writeFileSync(join(at, "square.csv"), `x,y\n${rows.join("\n")}\n`)
    const trained = await rai(
      "train",
      "--data",
      join(at, "square.csv"),
      "--task",
      "regression",
      "--circuit",
      "1,16,16,1",
      "--activation",
      "tanh",
      "--out",
      join(at, "run"),
      "--json"
    )
    assert.strictEqual(trained.code, 0, trained.stderr)
    assert.isNull(json(trained).freeRunAccuracy)
    assert.isBelow(json(trained).freeRunLoss, 1e9) // a hundredth of the variance
    assert.match(
      trained.stderr,
      /targets are brought to mean 0 and deviation 1 while it trains \(theirs are 3330000 and 299000\)/
    )
    const smaller = await rai("export", join(at, "run"), "--out", join(at, "s.onnx"), "--weights", "float16")
    assert.match(
      smaller.stdout,
      /weights in float16: .*; on their targets R² [\d.]+, root mean squared error [\d.]+ instead of R² [\d.]+, root mean squared error [\d.]+\n/
    )
    assert.strictEqual((await rai("export", join(at, "run"), "--out", join(at, "m.onnx"))).code, 0)
    const predicted = await rai("predict", join(at, "m.onnx"), "--input", join(at, "square.csv"))
    assert.match(predicted.stdout, /^value\n[\d.-]/)
  })

  it("a landscape has its columns' names and units, that of a run as that of its model", async () => {
    const at = folder()
    const rows = Array.from({ length: 60 }, (_, i) => [52_000 + 15_000 * Math.sin(i), 45 + 20 * Math.cos(3 * i)])
    const lines = rows.map(([income, age]) => `${income},${age},${income! > 900 * age! ? "yes" : "no"}`)
    writeFileSync(join(at, "loans.csv"), `income,age,repaid\n${lines.join("\n")}\n`)
    const settings = ["--circuit", "2,8,1", "--activation", "tanh", "--standardise", "--out", join(at, "run")]
    const trained = await rai("train", "--data", join(at, "loans.csv"), ...settings)
    assert.strictEqual(trained.code, 0, trained.stderr)
    assert.strictEqual((await rai("export", join(at, "run"), "--out", join(at, "m.onnx"))).code, 0)
    const texts: Array<ReadonlyArray<string>> = []
    for (const of of ["run", "m.onnx"]) {
      assert.strictEqual((await rai("landscape", join(at, of), "--out", join(at, "l.svg"))).code, 0)
      texts.push(readFileSync(join(at, "l.svg"), "utf8").match(/(?<=>)[^<>]+(?=<\/text>)/g)!)
    }
    for (const text of ["30000", "80000", "income", "20", "80", "age", "probability of yes"]) {
      assert.include(texts[0]!, text)
    }
    assert.deepStrictEqual(texts[1], texts[0])
  })

  it("categories and missing values: predict does to a file what train did", async () => {
    const at = folder()
    const line = (i: number) => {
      const height = i % 7 === 3 ? "" : 1000 * Math.sin(i) + (i % 2) * 1500
      return `${height},${i % 11 === 5 ? "NA" : ["red", "blue", i % 2 ? "green" : "red"][i % 3]},${["dog", "cat"][i % 2]}`
    }
    const write = (name: string, from: number, to: number) => {
      const lines = Array.from({ length: to - from }, (_, i) => line(from + i))
      writeFileSync(join(at, name), `height,colour,kind\n${lines.join("\n")}\n`)
      return join(at, name)
    }
    const [data, test, validation] = [write("a.csv", 0, 80), write("t.csv", 80, 130), write("v.csv", 130, 170)]
    const columns = ["--categorical", "colour", "--missing", "mean", "--standardise"]
    const aside = ["--test", test, "--validation", validation, "--out", join(at, "run"), "--json"]
    const outcome = await rai(
      ...["train", "--data", data, "--circuit", "4,8,1", "--activation", "tanh", ...columns, ...aside]
    )
    assert.strictEqual(outcome.code, 0, outcome.stderr)
    const { testAccuracy, validationAccuracy } = json(outcome)
    assert.strictEqual((await rai("export", join(at, "run"), "--out", join(at, "m.onnx"))).code, 0)
    for (const [file, accuracy] of [
      [test, testAccuracy],
      [validation, validationAccuracy]
    ]) {
      const { stdout } = await rai("predict", join(at, "m.onnx"), "--input", file)
      const answers = stdout.trimEnd().split("\n").slice(1)
      const kinds = readFileSync(file, "utf8").trimEnd().split("\n").slice(1)
      const right = answers.filter((answer, i) => answer.split(",")[0] === kinds[i]!.split(",")[2])
      assert.approximately(right.length / kinds.length, accuracy, 1e-9)
    }
    writeFileSync(join(at, "new.csv"), "height,colour\n1,red\n2,pink\n")
    const refused = await rai("predict", join(at, "m.onnx"), "--input", join(at, "new.csv"))
    assert.strictEqual(refused.code, 1)
    assert.include(
      refused.stderr,
      "new.csv, line 3, column «colour»: expected a category of the training data, «blue», «green», «red», but «pink» came; correct it, train on examples of it, or train with zeros for unseen categories"
    )
    const sparse = ["train", "--data", data, "--circuit", "2,4,1", "--plan", "relax:1"]
    assert.include((await rai(...sparse, "--missing", "drop")).stderr, "line 2, column «colour»: expected a number")

    const dropped = ["--categorical", "colour", "--missing", "drop", "--out", join(at, "dropped")]
    const left = await rai(...sparse.with(4, "4,4,1"), ...dropped)
    assert.strictEqual(left.code, 0, left.stderr)
    assert.match(left.stderr, /^left out for a missing value: \d+ of the 80 examples in .*a\.csv$/m)
    const examples = json(await rai("evaluate", join(at, "dropped"), "--data", test, "--json")).examples
    const whole = readFileSync(test, "utf8").trimEnd().split("\n").slice(1)
    assert.strictEqual(examples, whole.filter((row) => !/^,|,NA,/.test(row)).length)
  })

  it("export says as train does where float32 holds too little of a column", async () => {
    const at = folder()
    for (const [name, begin, isFar] of [
      ["far", 1.7e9, true],
      ["near", 1700, false]
    ] as const) {
      const [data, run] = [join(at, `${name}.csv`), join(at, name)]
      const rows = Array.from({ length: 40 }, (_, i) => `${begin + (i % 20)},${i % 7},${i % 2}`)
      writeFileSync(data, `time,other,label\n${rows.join("\n")}\n`)
      const settings = ["--data", data, "--circuit", "2,4,1", "--plan", "relax:5", "--standardise", "--out", run]
      for (const command of [
        ["train", ...settings],
        ["export", run, "--out", `${run}.onnx`]
      ]) {
        const { code, stderr } = await rai(...command)
        assert.strictEqual(code, 0, stderr)
        assert.strictEqual(/^warning: of «time» the numbers differ by less than/m.test(stderr), isFar, stderr)
      }
    }
  })

  it("what holds for all seeds is said once", async () => {
    const data = join(folder(), "a.csv")
    writeFileSync(data, "x1,x2,label\n0,1,a\n,0,b\n1,0,b\n")
    const settings = ["--data", data, "--circuit", "2,4,1", "--plan", "relax:1", "--missing", "drop"]
    const { code, stderr } = await rai("train", ...settings, "--seeds", "0-1")
    assert.strictEqual(code, 0, stderr)
    const said = stderr.split("\n").filter((line) => !line.startsWith("seed ") && line !== "")
    assert.include(said, `left out for a missing value: 1 of the 3 examples in ${data}`)
    assert.deepStrictEqual(said, [...new Set(said)])
  })

  it("predictions are CSV whatever the classes are called", async () => {
    const at = folder()
    const [data, model] = [join(at, "a.csv"), join(at, "m.onnx")]
    writeFileSync(data, `x,kind\n1,"a, b"\n2,c\n3,"say ""d"""\n`)
    const trained = await rai(
      "train",
      "--data",
      data,
      "--circuit",
      "1,3",
      "--plan",
      "backpropagate:1",
      "--out",
      join(at, "r")
    )
    assert.strictEqual(trained.code, 0, trained.stderr)
    assert.strictEqual((await rai("export", join(at, "r"), "--out", model)).code, 0)
    const [head] = (await rai("predict", model, "--input", data)).stdout.split("\n")
    assert.strictEqual(head, `class,"probability a, b",probability c,"probability say ""d"""`)
  })

  it("several seeds compared: the table says that it holds their means", async () => {
    const small = "train --data xor --circuit 2,4,1 --plan relax:3 --engine reference --compare --stop-loss 0.5 --seeds"
    const outcome = await rai(...small.split(" "), "0-2")
    assert.strictEqual(outcome.code, 0, outcome.stderr)
    const losses = (pattern: RegExp) => [...outcome.stdout.matchAll(pattern)].map(([, loss]) => Number(loss))
    const own = losses(/^ +[0-2] +3 .* s +(0\.\d+)/gm)
    assert.strictEqual(own.length, 3)
    const [mean] = losses(/^means, from the same start .*\nthis plan +3 .* s +(0\.\d+)/gm)
    assert.approximately(mean!, own.reduce((a, b) => a + b) / 3, 1e-4)
    assert.match((await rai(...small.split(" "), "1")).stdout, /^from the same start /m)
  })

  it("several seeds: one object with all runs; those that an interruption left out begin later", async () => {
    const at = join(folder(), "seeds")
    const outcome = await train("--plan", "relax:5", "--seeds", "3,3", "--out", at, "--json")
    assert.deepStrictEqual(
      json(outcome).runs.map(({ seed }: { seed: number }) => seed),
      [3]
    )
    assert.notInclude(outcome.stderr, "\u001b")
    const more = await rai("train", "--seeds", "3-4,7", "--out", at, "--resume", "--json")
    const { lowestAccuracy, medianAccuracy, runs } = json(more)
    assert.deepStrictEqual(
      runs.map(({ plan, seed }: { plan: string; seed: number }) => [seed, plan.split(":")[1]]),
      [3, 4, 7].map((seed) => [seed, "5"])
    )
    assert.deepStrictEqual(runs[0], json(outcome).runs[0])
    assert.isAtMost(lowestAccuracy, medianAccuracy)
    assert.isTrue(existsSync(join(at, "seed-7", "circuit.json")))
    const evaluated = await rai("evaluate", at)
    assert.match(evaluated.stderr, /error: .* holds those of 3 seeds; name one of .*seed-3, .*seed-4, .*seed-7\n$/)
  })
})

describe("help", () => {
  it("train --help names every setting that a phase takes", async () => {
    const { stdout } = await rai("train", "--help")
    const plan = stdout.split("\n").find((line) => line.includes("--plan "))!
    for (const phase of ["relax", "alternate", "backpropagate"]) {
      const { stderr } = await rai("train", "--data", "xor", "--circuit", "2,4,1", "--plan", `${phase}:5:none`)
      const [, rules, settings] = /an optimiser \((.*)\) or (.*) in the plan/.exec(stderr)!
      for (const name of [phase, ...rules!.split(", "), ...settings!.split(", ")])
        assert.match(plan, RegExp(`\\b${name}\\b`))
    }
  })

  it("shows the defaults, in train --help those that a run is begun with", async () => {
    const defaults = (text: string) =>
      Object.fromEntries(
        Array.from(text.matchAll(/^ +--(\S+) .*\(default: ([^)]*)\)/gm), ([, flag, value]) => [flag!, value!])
      )
    const shown = defaults((await rai("train", "--help")).stdout)
    const begun = await Effect.runPromise(TrainSettings.begun({ data: "xor", circuit: "2,4,1" }))
    for (const flag of ["activation", "plan", "start", "seed", "engine"] as const)
      assert.strictEqual(shown[flag], String(begun[flag]), flag)
    const served = defaults((await rai("serve", "--help")).stdout)
    assert.containSubset(served, { host: "127.0.0.1", port: "8080", "model-control": "none", "log-format": "pretty" })
    assert.containSubset(defaults((await rai("export", "--help")).stdout), { opset: "21", weights: "float32" })
  })

  it.skipIf(spawnSync("bash", ["--version"]).status !== 0)(
    "shells complete the names of files, which stay as written",
    async () => {
      const at = folder()
      writeFileSync(join(at, "points.csv"), "")
      writeFileSync(join(at, "completions"), (await rai("--completions", "bash")).stdout)
      for (const words of ["train --data po", "history po", "predict model.onnx --input po"]) {
        const all = ["rai", ...words.split(" ")]
        const line = `source completions; COMP_WORDS=(${all.join(" ")}); COMP_CWORD=${all.length - 1}; COMP_LINE="${all.join(" ")}"`
        const bash = spawnSync("bash", ["-c", `${line}; _rai rai po; echo "\${COMPREPLY[*]}"`], {
          cwd: at,
          encoding: "utf8"
        })
        assert.strictEqual(bash.stdout.trim(), "points.csv", words + bash.stderr)
      }
      assert.match((await rai("history", "no/such/run")).stderr, /measurements of a run in no\/such\/run,/)
    }
  )

  it("help names every command, without colour where there is no terminal", async () => {
    const { code, stdout } = await rai("--help")
    assert.strictEqual(code, 0)
    assert.notInclude(stdout, "\u001b")
    for (const name of ["train", "export", "verify", "predict", "landscape", "serve", "doctor", "setup"]) {
      assert.include(stdout, name)
    }
  })

  it("doctor says what there is", async () => {
    const { code, stdout } = await rai("doctor")
    assert.strictEqual(code, 0)
    for (const part of [
      /Node\s+v24/,
      /cores\s+\d+/,
      /tfjs-native/,
      /tfjs-wasm\s+found/,
      /CPU\s+found: onnxruntime/,
      /CUDA/
    ]) {
      assert.match(stdout, part)
    }
  })
})
