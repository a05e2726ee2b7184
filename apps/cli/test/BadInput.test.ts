/**
 * Bad input: one line saying what was expected, what came and what to do; exit code 1; existing files stay unchanged.
 */

import { spawn } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { ended, folder, hashes, heard, main, type Outcome, rai, start } from "./CommandLine.ts"

const place = folder()
const file = (name: string, text: string) => {
  writeFileSync(join(place, name), text)
  return join(place, name)
}
const train = (...args: ReadonlyArray<string>) => rai("train", ...args)
const small = ["--circuit", "2,4,1", "--plan", "relax:3"]

const refused = (outcome: Outcome, ...parts: ReadonlyArray<RegExp>) => {
  const errors = outcome.stderr
    .trimEnd()
    .split("\n")
    .filter((line) => line.startsWith("error: "))
  assert.strictEqual(outcome.code, 1, outcome.stderr)
  assert.strictEqual(errors.length, 1, outcome.stderr)
  assert.notMatch(outcome.stderr, /^\s+at /m)
  assert.notMatch(outcome.stderr, /a fault of this program/)
  assert.match(errors[0]!, /expected/)
  for (const part of parts) assert.match(errors[0]!, part)
}

describe("data", () => {
  const cases: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["a missing cell", "a,b,y\n1,2,0\n3,,1\n", /line 3, column «b».*an empty cell came/],
    ["a text where a number belongs", "a,b,y\n1,2,0\n3,blue,1\n", /line 3, column «b».*«blue» came/],
    ["one class only", "a,b,y\n1,2,0\n3,4,0\n", /class/],
    ["no rows", "a,b,y\n", /no rows came/],
    ["an empty file", "", /the file is empty/]
  ]
  for (const [name, text, expected] of cases) {
    it(name, async () => refused(await train("--data", file("bad.csv", text), ...small), expected))
  }

  it("a label column that is not there, a file that is not, a set that is not", async () => {
    const data = file("good.csv", "a,b,y\n1,2,0\n3,4,1\n")
    refused(await train("--data", data, "--label", "colour", ...small), /«colour».*the columns are «a», «b», «y»/)
    refused(await train("--data", join(place, "none.csv"), ...small), /there is none at this path/)
    refused(await train("--data", "sun", ...small), /moons-100/)
    refused(await train("--data", "moons:n=ten", ...small), /moons/)
  })
})

describe("settings", () => {
  it("a circuit that does not fit the data or is none, a plan with an unknown phase", async () => {
    refused(await train("--data", "xor", "--circuit", "3,4,1"), /a circuit 2,…,1 for data with 2 inputs/)
    refused(await train("--data", "xor", "--circuit", "2,4,two"), /widths such as 2,100x100,1/)
    refused(await train("--data", "xor", "--circuit", join(place, "none.json")), /there is no such file/)
    const blocks = (kind: string) => file(`${kind}.json`, JSON.stringify({ sequence: [{ kind }] }))
    refused(await train("--data", "xor", "--circuit", blocks("wave")), /«wave» came/)
    refused(await train("--data", "xor", "--circuit", blocks("linear")), /inputs absent, outputs absent came/)
    refused(
      await train("--data", "xor", "--circuit", file("half.json", '{"sequence": [')),
      /it is no JSON \(Unexpected end/
    )
    refused(
      await train("--data", "xor", ...small.slice(0, 2), "--plan", "dream:10"),
      /a phase named relax, alternate or backpropagate.*«dream:10»/
    )
    refused(await train("--data", "xor", ...small, "--test", "1.5"), /share/)
  })

  it("columns that are not categories, labels that belong to no file, an array cut short, a rule that is none", async () => {
    refused(await train("--data", "xor", ...small, "--categorical", "x1"), /xor: .*«x1» came; leave it out/)
    const data = file("colours.csv", "a,b,y\n1,red,0\n3,blue,1\n5,red,0\n7,red,1\n")
    refused(await train("--data", data, ...small, "--categorical", "b,c"), /line 1: .*«c».*«a», «b», «y»/)
    refused(await train("--data", data, ...small, "--labels", "l.npy"), /labels in a column of the file/)
    const [other, gaps] = [
      file("green.csv", "a,b,y\n1,green,0\n3,red,1\n"),
      file("gap.csv", "a,b,y\n,red,0\n3,red,1\n")
    ]
    const columns = ["--data", data, "--circuit", "3,4,1", "--plan", "relax:3", "--categorical", "b"]
    refused(
      await train(...columns, "--test", other),
      /green\.csv, line 2, column «b»: .*«blue», «red», but «green» came/
    )
    refused(await train(...columns, "--validation", gaps), /gap\.csv, line 2, column «a»: .*an empty cell came/)
    const zeros = await train(...columns, "--test", other, "--unseen", "zeros")
    assert.strictEqual(zeros.code, 0, zeros.stderr)
    writeFileSync(
      join(place, "cut-images-idx3-ubyte"),
      Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3)
    )
    writeFileSync(join(place, "cut-labels-idx1-ubyte"), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 0, 1))
    refused(
      await train("--data", join(place, "cut-images-idx3-ubyte"), ...small),
      /expected 20 bytes, as \[2,1,2\] in the header says, but the file ends after 19, in row 2/
    )
    const { code, stderr } = await train("--data", data, ...small, "--missing", "mode")
    assert.strictEqual(code, 2)
    assert.match(stderr, /--missing: expected .*"median".*«mode» came/)
  })

  it("test data with other columns or classes", async () => {
    const data = ["--data", file("one.csv", "a,b,y\n1,2,u\n3,4,v\n"), ...small]
    const other = file("other.csv", "a,b,y\n1,2,u\n3,4,w\n")
    refused(
      await train(...data, "--test", other),
      /other\.csv, line 3, column «y»: expected one of the classes «u», «v», but «w» came/
    )
    refused(await train(...data, "--test", file("short.csv", "b,y\n1,u\n")), /expected an input column «a»/)
    const mixed = await train(...data, "--test", file("order.csv", "b,a,y\n1,2,u\n3,4,v\n"))
    assert.strictEqual(mixed.code, 0, mixed.stderr)
  })

  it("what does not fit leaves no folder behind", async () => {
    const run = join(place, "unfit")
    refused(await train("--data", "xor", "--circuit", "3,4,1", "--out", run), /a circuit 2,…,1/)
    assert.isFalse(existsSync(run))
  })

  it("a rate that makes the loss NaN", async () => {
    const plan = ["--plan", "backpropagate:50:sgd=1e20"]
    refused(
      await train("--data", "xor", "--circuit", "2,8,8,1", "--activation", "relu", ...plan),
      /finite numbers.*first in .*begin again with a lower rate/
    )
  })

  it("a cut that matches nothing; a circuit of one map, which has nothing to cut, trains all the same", async () => {
    refused(
      await train("--data", "xor", "--circuit", "2,4,1", "--plan", "relax:3:every=50"),
      /a cut that matches some of the circuit's places, linear and sigmoid, .*cut more often/
    )
    assert.strictEqual((await train("--data", "xor", "--circuit", "2,1")).code, 0)
  })
})

describe("folders and files", () => {
  const run = join(place, "run")

  beforeAll(async () => {
    mkdirSync(run) // an empty folder will do
    assert.strictEqual((await train("--data", "xor", ...small, "--out", run)).code, 0)
  })

  it("an output folder that is not empty stays as it was", async () => {
    const before = hashes(run)
    refused(await train("--data", "xor", ...small, "--out", run), /an empty folder or none yet.*holds files.*--resume/)
    assert.deepStrictEqual(hashes(run), before)
    refused(await train("--data", "xor", ...small, "--out", join(run, "summary.json")), /is a file/)
    refused(await train("--out", join(place, "nowhere"), "--resume"), /settings/)
    refused(await train("--data", "xor", ...small, "--out", "/proc/none"), /a folder that can be made/)
    refused(
      await train("--data", "xor", ...small, "--out", join(run, "summary.json", "a")),
      /part of the path is a file/
    )
    refused(await train("--data", "xor", ...small, "--out", run, "--seeds", "0-1"), /an empty folder or none yet/)
    for (const name of ["settings.json", "summary.json"]) {
      const damaged = join(place, `damaged ${name}`)
      cpSync(run, damaged, { recursive: true })
      truncateSync(join(damaged, name), 20)
      refused(await train("--out", damaged, "--resume"), new RegExp(`${name}, but the file is damaged`))
    }
  })

  it("folders that the system denies, whatever is missing above them, end at once", async () => {
    const denied = /a folder that can be made and written to, but «\/proc\/none/
    refused(await train("--data", "xor", ...small, "--out", "/proc/none/a/b"), denied)
    refused(await train("--data", "xor", ...small, "--seeds", "0-1", "--out", "/proc/none/a"), denied)
    refused(await train("--data", "xor", ...small, "--tensorboard", "/proc/none/a"), denied)
    refused(await rai("demo", "--once", "--out", "/proc/none/a"), denied)
    refused(await rai("experiment", "gradients", "--out", "/proc/none/a"), denied)
  })

  it.skipIf(process.platform === "win32")("a disk that takes no more while a run goes on", async () => {
    const settings =
      "train --data moons-100 --circuit 2,64x20,1 --activation tanh --engine onnx --plan relax:400:interval=1"
    // A bound on the length of files refuses what is written as a full disk does.
    const bounded = ["-c", 'ulimit -f 16; exec "$0" "$@"', process.execPath, main, ...settings.split(" ")]
    const { code, stderr } = await ended(spawn("sh", [...bounded, "--out", join(place, "bounded")]))
    assert.strictEqual(code, 1)
    const [warning, error] = stderr.trimEnd().split("\n").slice(-2)
    assert.match(warning!, /WARN.*: the last snapshot was not kept: .*safetensors\.part: EFBIG: file too large, write$/)
    assert.match(error!, /^error: .*metrics\.jsonl: expected to write here, but the file would be larger than may be; /)
  })

  it("demo empties its own folders alone", async () => {
    const mine = join(place, "mine")
    mkdirSync(join(mine, "models"), { recursive: true })
    refused(
      await rai("demo", "--once", "--out", mine),
      /an empty folder or none yet, but .* holds files; name another$/
    )
    assert.deepStrictEqual(readdirSync(mine), ["models"])
    const earlier = join(place, "earlier")
    mkdirSync(join(earlier, "backpropagation-pytorch-start"), { recursive: true })
    writeFileSync(join(earlier, "landscapes.png"), "")
    const child = start("demo", "--once", "--out", earlier)
    const over = ended(child)
    await heard(child, "backpropagate 0/60")
    child.kill("SIGINT")
    await over
    assert.isFalse(existsSync(join(earlier, "landscapes.png")))
  })

  it("a run whose data are elsewhere is evaluated on others, and its model proved on random points", async () => {
    const [data, of] = [file("gone.csv", "a,b,y\n1,2,0\n3,4,1\n"), join(place, "of")]
    assert.strictEqual((await train("--data", data, ...small, "--out", of)).code, 0)
    rmSync(data)
    refused(await rai("evaluate", of), /the run's own data in .*gone\.csv, .* no such file here; .* --data$/)
    const { stdout } = await rai("export", of, "--out", join(place, "of.onnx"))
    assert.match(
      stdout,
      /the run's own data cannot be read \(.*gone\.csv: .*none at this path.*\): random points stood in/
    )
  })

  it("a table overwrites tables alone, and no model itself", async () => {
    const measured = join(run, "metrics.jsonl")
    const before = hashes(run)
    refused(
      await rai("history", run, "--csv", measured),
      /--csv to name a new file, or one that ends in \.csv, but .*metrics\.jsonl came, which is there/
    )
    assert.deepStrictEqual(hashes(run), before)
    const model = join(place, "itself.onnx")
    assert.strictEqual((await rai("export", run, "--out", model)).code, 0)
    const bytes = readFileSync(model)
    const input = file("table.csv", "x1,x2\n1,2\n")
    const other = file("other.onnx", "another model")
    refused(await rai("predict", model, "--input", input, "--out", other), /--out to name a new file, or one that ends/)
    assert.strictEqual((await rai("predict", model, "--input", input, "--out", join(place, "new"))).code, 0)
    const { code, stderr } = await rai("export", model, "--out", model)
    assert.strictEqual(code, 2)
    assert.match(stderr, /expected --out to name a file of its own, but .* is the model; name another/)
    assert.deepStrictEqual(readFileSync(model), bytes)
  })

  it("an experiment cut short leaves the kept pages as they are", async () => {
    const cwd = join(place, "root")
    mkdirSync(join(cwd, "apps", "experiments", "results"), { recursive: true })
    const args = "experiment zero-lambda --seeds 0 --steps 1 --hidden 3x2 --engine onnx".split(" ")
    const { code, stderr, stdout } = await ended(spawn(process.execPath, [main, ...args], { cwd }))
    assert.strictEqual(code, 0, stderr)
    const told = stderr.trimEnd().split("\n")
    assert.strictEqual(told[0], "zero-lambda: 4 runs")
    assert.deepStrictEqual(
      told.slice(1).map((line) => line.split(": ", 1)[0]),
      ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    )
    assert.match(stdout, /written to results\/zero-lambda\.md/)
    // The page's command makes it again, on the same engine.
    assert.include(readFileSync(join(cwd, "results", "zero-lambda.md"), "utf8"), `Made by \`rai ${args.join(" ")}\``)
    assert.deepStrictEqual(readdirSync(join(cwd, "apps", "experiments", "results")), [])
  })

  it("checkpoints cut short, of another format version, of another circuit", async () => {
    const whole = join(place, "interrupted")
    const child = start(
      ..."train --data moons-100 --circuit 2,64x40,1 --activation tanh --plan relax:5000:rprop=0.001 --out".split(" "),
      whole
    )
    const over = ended(child)
    // Until the first measurement there is nothing to keep.
    await heard(child, "0/5000")
    child.kill("SIGINT")
    assert.strictEqual((await over).code, 130)
    const arrays = readdirSync(whole).find((name) => name.endsWith(".safetensors"))!
    const damaged = async (name: string, damage: (folder: string) => void, expected: RegExp) => {
      const folder = join(place, name)
      cpSync(whole, folder, { recursive: true })
      damage(folder)
      const before = hashes(folder)
      refused(await train("--out", folder, "--resume"), expected)
      assert.deepStrictEqual(hashes(folder), before)
    }
    const rewrite = (folder: string, from: RegExp, to: string) => {
      const at = join(folder, "checkpoint.json")
      writeFileSync(at, readFileSync(at, "utf8").replace(from, to))
    }
    const { size } = statSync(join(whole, arrays))
    for (const length of [0, 7, 1000, size - 1]) {
      await damaged(`arrays ${length}`, (folder) => truncateSync(join(folder, arrays), length), /cut short or changed/)
    }
    const json = statSync(join(whole, "checkpoint.json")).size
    for (const length of [0, 100, json - 3]) {
      await damaged(`json ${length}`, (folder) => truncateSync(join(folder, "checkpoint.json"), length), /not whole/)
    }
    await damaged("gone", (folder) => rmSync(join(folder, arrays)), /is missing/)
    await damaged("seed", (folder) => rewrite(folder, /"seed": 0/, '"seed": 1'), /a checkpoint of the seed/)
    await damaged("plan", (folder) => rewrite(folder, /relax:5000/, "relax:6000"), /a checkpoint of the plan/)
    await damaged(
      "version",
      (folder) => rewrite(folder, /"version": 3/, '"version": 99'),
      /format version 3.*version 99/
    )
    await damaged("circuit", (folder) => rewrite(folder, /linear 2→64/, "linear 2→65"), /a checkpoint of the circuit/)
  })

  it("cost: a plan that training refuses; what would not fit is told", async () => {
    const cost = (...args: ReadonlyArray<string>) => rai("cost", "--circuit", "2,16,1", ...args)
    refused(await cost("--examples", "10", "--plan", "relax:10:every=50"), /a cut that matches/)
    refused(await cost("--examples", "10", "--batch", "64"), /from 1 to 10/)
    const two = await rai("cost", "--circuit", "2,8,2", "--examples", "100", "--plan", "backpropagate:10")
    assert.match(two.stdout, /time +[\d.]+ ms a step/)
    for (const engine of ["auto", "tfjs-wasm", "reference"]) {
      const one = await cost("--examples", "100", "--plan", "backpropagate:10", "--engine", engine)
      const name = engine === "auto" ? "(onnx|tfjs-native)" : engine
      assert.match(one.stdout, new RegExp(`time +[\\d.]+ ms a step on ${name}, `), one.stderr)
    }
    const { code, stderr, stdout } = await rai(
      ...["cost", "--circuit", "2,3000x70,1", "--examples", "9000000", "--plan", "relax:10:every=60"]
    )
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /time +[\d.]+ s a step/)
    assert.match(stdout, /warning: training holds about [\d.]+ TB, more than the [\d.]+ GB of memory here/)
  })

  it("where it failed is told at --log-level debug alone, behind the command or before it", async () => {
    const absent = join(place, "absent.onnx")
    refused(await rai("verify", absent), /absent\.onnx/)
    for (const args of [
      ["verify", absent, "--log-level", "debug"],
      ["--log-level=debug", "verify", absent]
    ]) {
      const { code, stderr, stdout } = await rai(...args)
      assert.strictEqual(code, 1)
      assert.match(stderr, /^error: .*absent\.onnx/m)
      assert.match(stderr, /^\s+at .*Verify\.ts/m)
      assert.strictEqual(stdout, "")
    }
  })

  it("export: no run, a name that is no model's; verify and predict: no model, none of ONNX, changed", async () => {
    refused(await rai("export", join(place, "nowhere"), "--out", join(place, "m.onnx")), /circuit/)
    refused(await rai("export", run, "--out", join(place, "m.txt")), /end in \.onnx/)
    const fake = file("fake.onnx", "this is text\n")
    refused(await rai("verify", fake), /ONNX/)
    refused(await rai("verify", join(place, "none.onnx")), /none\.onnx/)
    refused(await rai("predict", fake, "--input", file("in.csv", "x1,x2\n1,2\n")), /ONNX/)
    refused(await rai("landscape", fake, "--out", join(place, "l.png")), /ONNX/)
    refused(await rai("landscape", run, "--out", join(place, "l.gif")), /png/)

    const model = join(place, "model.onnx")
    assert.strictEqual((await rai("export", run, "--out", model)).code, 0)
    const [before, input] = [hashes(place), file("in.csv", "x1,x2\n1,2\n")]
    refused(await rai("predict", model, "--input", file("lacks.csv", "x1,other\n1,2\n")), /«x2»/)
    refused(await rai("predict", model, "--input", input, "--out", join(place, "no", "o.csv")), /no such folder/)
    for (const [what, out] of [
      ["model", model],
      ["input", input]
    ] as const) {
      const before = readFileSync(out)
      const ended = await rai("predict", model, "--input", input, "--out", out)
      assert.strictEqual(ended.code, 2)
      assert.match(ended.stderr, new RegExp(`expected --out to name a file of its own, but .* is the ${what};`))
      assert.deepStrictEqual(readFileSync(out), before)
    }
    refused(await rai("export", run, "--out", join(place, "no", "m.onnx")), /its folder is not there/)
    refused(await rai("landscape", model, "--out", join(place, "no", "l.svg")), /no such folder/)
    mkdirSync(join(place, "folder.onnx"))
    refused(await rai("verify", join(place, "folder.onnx")), /a folder stands there/)
    assert.strictEqual(hashes(place)["model.onnx"], before["model.onnx"])
    const bytes = readFileSync(model)
    bytes[bytes.length - 400]! ^= 1
    writeFileSync(model, bytes)
    refused(await rai("verify", model), /changed/)
  })

  it("doctor: no wheel of the CUDA provider to be had", async () => {
    const env = {
      ...process.env,
      PIP_INDEX_URL: "http://127.0.0.1:1/simple",
      PIP_CONFIG_FILE: "/dev/null",
      RAI_CACHE: place
    }
    const nowhere = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: place, HTTPS_PROXY: "http://127.0.0.1:1" }
    const child = spawn(process.execPath, [main, "doctor", "--install-cuda"], { env: { ...env, ...nowhere } })
    const outcome = await ended(child)
    // Where the provider is installed there is nothing to fetch.
    if (outcome.stdout.includes("already there")) return
    refused(outcome, /CUDA provider/)
  })

  it("serve: an empty folder, a broken model, a port that is taken", async () => {
    mkdirSync(join(place, "empty"))
    refused(await rai("serve", join(place, "empty"), "--port", "0"), /model/)
    mkdirSync(join(place, "broken"))
    writeFileSync(join(place, "broken", "a.onnx"), "no model")
    const broken = await rai("serve", join(place, "broken"), "--port", "0")
    refused(broken, /a\.onnx|"a"/)
    const taken = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => taken.once("listening", resolve))
    const { port } = taken.address() as { readonly port: number }
    const model = join(place, "served.onnx")
    assert.strictEqual((await rai("export", run, "--out", model)).code, 0)
    refused(await rai("serve", model, "--port", String(port)), /another program has that port.*0 takes a free one/)
    taken.close()
  })
})
