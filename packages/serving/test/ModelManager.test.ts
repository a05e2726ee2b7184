import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import type { Worker } from "node:worker_threads"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Layer, Result, Schedule } from "effect"
import { DataPlane } from "../src/DataPlane.ts"
import { ModelRepository } from "../src/repository/ModelRepository.ts"
import { fixtures } from "./Client.ts"
import * as Folder from "./Folder.ts"
import { all, ask, layer, log, x } from "./Plane.ts"
import { until } from "./Until.ts"

const one = x(1, Float32Array.of(1))

/** Asks model m for its answer to 1: 2 for «double», 3 for «triple». */
const factor = (service: DataPlane["Service"], version?: string) =>
  Effect.map(service.infer({ model: "m", version }, one), ({ outputs, version }) => ({
    version,
    factor: outputs[0]!.data[0]
  }))

const states = (service: DataPlane["Service"]) =>
  Effect.map(service.index, (index) => index.map(({ version, state, reason }) => [version, state, reason]))

const settings = (folder: string, config: unknown) => Folder.put(folder, "m/config.json", JSON.stringify(config))

it.live("lets a new version take over from the old, and keeps the old where the new one is broken", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      assert.deepStrictEqual(yield* factor(service), { version: "1", factor: 2 })
      Folder.put(folder, "m/2/model.onnx", { model: "more/triple" })
      yield* service.load("m")
      assert.deepStrictEqual(yield* factor(service), { version: "2", factor: 3 })
      const old = yield* Effect.flip(factor(service, "1"))
      assert.strictEqual(
        old.message,
        'the model "m" is not ready: another version was loaded in its place; ask for one of its versions: 2'
      )
      Folder.put(folder, "m/3/model.onnx", "no model")
      const refused = yield* Effect.flip(service.load("m"))
      const reason = "the file is not an ONNX model; export one again"
      assert.strictEqual(refused.message, `failed to load the model "m": ${reason}`)
      assert.deepStrictEqual(yield* factor(service), { version: "2", factor: 3 })
      assert.deepStrictEqual(yield* states(service), [
        ["1", "UNAVAILABLE", "another version was loaded in its place"],
        ["2", "READY", ""],
        ["3", "UNAVAILABLE", reason]
      ])
      yield* service.serverReady
      // A file that changes under the version that is served.
      Folder.put(folder, "m/2/model.onnx", "no model")
      rmSync(`${folder}/m/3`, { recursive: true })
      yield* Effect.flip(service.load("m"))
      assert.deepStrictEqual(yield* states(service), [
        ["1", "UNAVAILABLE", "another version was loaded in its place"],
        ["2", "READY", `its new file is not served: ${reason}`]
      ])
      assert.deepStrictEqual(yield* factor(service), { version: "2", factor: 3 })
      Folder.put(folder, "m/2/model.onnx", { model: "more/double" })
      yield* service.load("m")
      assert.deepStrictEqual(yield* factor(service), { version: "2", factor: 2 })
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("serves the versions that the policy chooses", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    for (const [version, model] of [
      [1, "more/double"],
      [2, "more/triple"],
      [3, "more/double"]
    ] as const) {
      Folder.put(folder, `m/${version}/model.onnx`, { model })
    }
    settings(folder, { version_policy: { latest: { num_versions: 2 } } })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const versions = Effect.map(service.modelMetadata({ model: "m" }), ({ versions }) => [...versions].sort())
      assert.deepStrictEqual(yield* versions, ["2", "3"])
      assert.deepStrictEqual(yield* factor(service, "2"), { version: "2", factor: 3 })
      assert.deepStrictEqual(yield* factor(service), { version: "3", factor: 2 })
      settings(folder, { version_policy: { specific: { versions: [1, 2] } } })
      yield* service.load("m")
      assert.deepStrictEqual(yield* versions, ["1", "2"])
      yield* service.load("m", { config: JSON.stringify({ version_policy: { all: {} } }) })
      assert.deepStrictEqual(yield* versions, ["1", "2", "3"])
      settings(folder, { parameters: { execution_providers: { string_value: "cuda:7,cpu" } } })
      yield* service.load("m")
      const { parameters } = yield* service.modelMetadata({ model: "m" })
      assert.strictEqual(parameters.execution_provider, "cpu")
      assert.hasAllKeys(parameters, ["execution_provider", "cuda:7_not_taken"])
      yield* service.load("m", { config: JSON.stringify({ version_policy: { all: {} } }) })
      settings(folder, { max_batch_size: "many" })
      const refused = yield* Effect.flip(service.load("m"))
      assert.strictEqual(
        refused.message,
        'failed to load the model "m": failed to poll from model repository: its config.json: at max_batch_size: Expected a finite number'
      )
      assert.deepStrictEqual(yield* versions, ["1", "2", "3"])
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("says which versions there are where the policy names others", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "m/2/model.onnx", { model: "more/triple" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const reason = "its version policy chooses none of the versions that are there: 1, 2"
      settings(folder, { version_policy: { specific: { versions: [9] } } })
      assert.strictEqual(
        (yield* Effect.flip(service.load("m"))).message,
        `failed to load the model "m": failed to poll from model repository: ${reason}`
      )
      assert.deepStrictEqual(yield* states(service), [["2", "READY", `what came since is not served: ${reason}`]])
      assert.deepStrictEqual(yield* factor(service), { version: "2", factor: 3 })
      const unknown = yield* Effect.flip(factor(service, "9"))
      assert.strictEqual(
        unknown.message,
        'Request for unknown model: "m" in version "9" is not here; ask for one of its versions: 2'
      )
      assert.strictEqual(
        (yield* Effect.flip(service.statistics({ model: "m", version: "9" }))).message,
        unknown.message
      )
      settings(folder, { version_policy: { specific: { versions: [1, 9] } } })
      yield* service.load("m")
      assert.deepStrictEqual(yield* states(service), [
        ["2", "UNAVAILABLE", "another version was loaded in its place"],
        ["1", "READY", ""],
        ["9", "UNAVAILABLE", "its version policy asks for it, and it is not there"]
      ])
      const missing = yield* Effect.flip(factor(service, "9"))
      assert.strictEqual(
        missing.message,
        'the model "m" is not ready: its version policy asks for it, and it is not there; ask for one of its versions: 1'
      )
    }).pipe(Effect.provide(layer(folder)))
    const failure = yield* Effect.gen(function* () {
      settings(folder, { version_policy: { specific: { versions: [9] } } })
      return yield* Effect.flip(Effect.void.pipe(Effect.provide(layer(folder))))
    })
    assert.strictEqual(
      failure.message,
      'the model "m" cannot be served as it lies in the repository: its version policy chooses none of the versions that are there: 1, 2'
    )
  }).pipe(Effect.scoped)
)

it.live("serves of files that come with a request those of the last one alone", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/5/model.onnx", { model: "more/double" })
    const [double, triple] = ["double", "triple"].map((name) => readFileSync(`${fixtures}/more/${name}.onnx`))
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const config = JSON.stringify({ version_policy: { all: {} } })
      const versions = Effect.map(service.modelMetadata({ model: "m" }), ({ versions }) => [...versions].sort())
      yield* service.load("m", { config, files: { "1/model.onnx": double!, "2/model.onnx": triple! } })
      assert.deepStrictEqual(yield* versions, ["1", "2"])
      yield* service.load("m", { config, files: { "1/model.onnx": triple! } })
      assert.deepStrictEqual(yield* versions, ["1"])
      assert.deepStrictEqual(yield* factor(service), { version: "1", factor: 3 })
      // The settings say which of them: the latest, where they say nothing.
      yield* service.load("m", { config: "{}", files: { "1/model.onnx": double!, "2/model.onnx": triple! } })
      assert.deepStrictEqual(yield* versions, ["2"])
      // One that does not open takes nothing from what serves.
      const files = { "3/model.onnx": new TextEncoder().encode("no model") }
      yield* Effect.flip(service.load("m", { config: "{}", files }))
      assert.deepStrictEqual(yield* factor(service), { version: "2", factor: 3 })
      yield* service.load("m")
      assert.deepStrictEqual(yield* versions, ["5"])
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("unloads, loads again, and takes files that come with the request", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      yield* service.unload("m")
      const gone = yield* Effect.flip(factor(service))
      assert.strictEqual(gone.message, 'the model "m" is not ready: unloaded; ask again once it is mended or loaded')
      yield* service.load("m")
      assert.deepStrictEqual(yield* factor(service), { version: "1", factor: 2 })
      const files = { "7/model.onnx": readFileSync(`${fixtures}/more/triple.onnx`) }
      yield* service.load("m", { config: "{}", files })
      assert.deepStrictEqual(yield* factor(service), { version: "7", factor: 3 })
      for (const file of ["../model.onnx", "1/../../model.onnx", "1/weights.bin", "01/model.onnx"]) {
        const refused = yield* Effect.flip(service.load("m", { config: "{}", files: { [file]: new Uint8Array(1) } }))
        assert.match(refused.message, /files are named VERSION\/model\.onnx/)
      }
      const hidden = yield* Effect.flip(service.load("stats", { config: "{}", files }))
      assert.match(hidden.message, /^failed to load the model "stats": its name is taken/)
      assert.strictEqual((yield* Effect.flip(service.load("other")))._tag, "LoadRefused")
      assert.strictEqual((yield* Effect.flip(service.unload("other")))._tag, "ModelUnknown")
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("ends a load that it began, though who asked for it goes away", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const files = { "1/model.onnx": readFileSync(`${fixtures}/more/triple.onnx`) }
      const loading = yield* Effect.forkChild(service.load("other", { config: "{}", files }))
      const begun = Effect.map(service.index, (index) => index.some(({ name }) => name === "other"))
      while (!(yield* begun)) yield* Effect.yieldNow
      assert.strictEqual(
        (yield* Effect.flip(service.modelReady({ model: "other" }))).message,
        'the model "other" is not ready: it is being loaded; ask again shortly'
      )
      yield* Fiber.interrupt(loading)
      yield* service.modelReady({ model: "other" })
      yield* service.serverReady
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("starts no more threads than a machine bears, whatever the settings say", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      for (const counts of [[65], [1_000_000], [64, 1], Array.from({ length: 65 }, () => 1)]) {
        const instance_group = counts.map((count) => ({ count }))
        const refused = yield* Effect.flip(service.load("m", { config: JSON.stringify({ instance_group }) }))
        assert.match(
          refused.message,
          /^failed to load the model "m": failed to poll from model repository: its config: at instance_group.*64/
        )
      }
      yield* service.load("m", { config: JSON.stringify({ instance_group: [{ count: 2 }, { count: 1 }] }) })
      assert.deepStrictEqual(yield* factor(service), { version: "1", factor: 2 })
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("looks by itself for what is new, changed and gone", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const soon = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.retry(effect, { times: 2_000, schedule: Schedule.spaced("20 millis") })
      Folder.put(folder, "m/2/model.onnx", { model: "more/triple" })
      Folder.put(folder, "n.onnx", { model: "more/double" })
      yield* soon(factor(service, "2"))
      yield* soon(service.modelReady({ model: "n" }))
      rmSync(`${folder}/n.onnx`)
      yield* soon(Effect.flip(service.modelReady({ model: "n" })))
      yield* service.serverReady
    }).pipe(Effect.provide(layer(folder, { poll: "50 millis" })))
  }).pipe(Effect.scoped)
)

it.live("is ready for its other models where one that came later is broken, and not where none is left", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const indexed = Effect.map(service.index, (index) =>
        index.filter(({ state }) => state === "UNAVAILABLE").map(({ name, reason }) => [name, reason])
      )
      const soon = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.retry(effect, { times: 2_000, schedule: Schedule.spaced("20 millis") })
      Folder.put(folder, "n.onnx", "no model")
      const broken = soon(Effect.filterOrFail(indexed, (all) => all.length === 1))
      assert.deepStrictEqual(yield* broken, [["n", "the file is not an ONNX model; export one again"]])
      yield* service.serverReady
      assert.strictEqual((yield* Effect.flip(service.modelReady({ model: "n" })))._tag, "ModelUnavailable")
      rmSync(`${folder}/m`, { recursive: true })
      assert.strictEqual((yield* soon(Effect.flip(service.serverReady)))._tag, "NoneReady")
      Folder.put(folder, "n.onnx", { model: "more/triple" })
      yield* soon(service.serverReady)
      // Nothing is missing where nothing is to be served.
      yield* service.unload("n")
      yield* service.serverReady
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })))
  }).pipe(Effect.scoped)
)

/** Waits until the index is as expected, as `name/version: state, reason`. */
const soon = (service: DataPlane["Service"], expected: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const index = yield* service.index
    assert.deepStrictEqual(
      index.map(({ name, version, state, reason }) => `${name}/${version}: ${state}${reason && `, ${reason}`}`),
      expected
    )
  }).pipe(
    Effect.catchDefect(Effect.fail),
    Effect.retry({ times: 2_000, schedule: Schedule.spaced("20 millis") }),
    Effect.orDie
  )

it.live("serves on where new settings are broken, and the index says why", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const broken = "its config.json: at max_batch_size: Expected a value between 0 and 1000000"
      settings(folder, { max_batch_size: -3 })
      // Whole at once, as it is looked for meanwhile.
      Folder.put(folder, ".n/config.json", JSON.stringify({ max_batch_size: -3 }))
      Folder.put(folder, ".n/1/model.onnx", { model: "more/double" })
      Folder.put(folder, ".n/2/model.onnx", { model: "more/triple" })
      renameSync(`${folder}/.n`, `${folder}/n`)
      const both = [`m/1: READY, what came since is not served: ${broken}`, `n/2: UNAVAILABLE, ${broken}`]
      yield* soon(service, both)
      yield* until(() => warnings.length >= 2)
      yield* Effect.sleep("100 millis")
      yield* soon(service, both)
      assert.deepStrictEqual(
        warnings,
        ["m", "n"].map((name) => `the model "${name}" cannot be served as it lies in the repository: ${broken}`)
      )
      assert.deepStrictEqual(yield* factor(service), { version: "1", factor: 2 })
      assert.strictEqual(
        (yield* Effect.flip(service.modelReady({ model: "n" }))).message,
        `the model "n" is not ready: ${broken}; ask again once it is mended or loaded`
      )
      // With settings as they should be, another version is at fault.
      Folder.put(folder, "m/2/model.onnx", "no model")
      rmSync(`${folder}/m/config.json`)
      const fault = "m/2: UNAVAILABLE, the file is not an ONNX model; export one again"
      yield* soon(service, ["m/1: READY", fault, both[1]!])
      yield* until(() => warnings.length >= 3)
      rmSync(`${folder}/m/2`, { recursive: true })
      Folder.put(folder, "n/config.json", JSON.stringify({ max_batch_size: 3 }))
      yield* soon(service, ["m/1: READY", "n/2: READY"])
      // Told once each time that it breaks.
      settings(folder, { max_batch_size: -3 })
      yield* soon(service, [both[0]!, "n/2: READY"])
      yield* until(() => warnings.length >= 4)
      yield* Effect.sleep("100 millis")
      assert.lengthOf(warnings, 4)
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

it.live("clears the index of what was wrong with files that are as they were again", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      linkSync(`${folder}/m/1/model.onnx`, `${folder}/kept`)
      Folder.put(folder, "m/1/model.onnx", "no model")
      const reason = "the file is not an ONNX model; export one again"
      yield* soon(service, [`m/1: READY, its new file is not served: ${reason}`])
      renameSync(`${folder}/kept`, `${folder}/m/1/model.onnx`)
      yield* soon(service, ["m/1: READY"])
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })))
  }).pipe(Effect.scoped)
)

it.live("unloads what it served where the repository is emptied, and serves what comes then", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      rmSync(`${folder}/m`, { recursive: true })
      yield* soon(service, [])
      assert.strictEqual(
        (yield* Effect.flip(factor(service))).message,
        'Request for unknown model: "m" is not here; no model is'
      )
      Folder.put(folder, "n.onnx", { model: "more/triple" })
      yield* soon(service, ["n/1: READY"])
      assert.deepStrictEqual(warnings, [])
      // A place that cannot be read is not an empty one.
      renameSync(folder, `${folder}.away`)
      yield* until(() => warnings.length > 0)
      yield* Effect.sleep("100 millis")
      yield* soon(service, ["n/1: READY"])
      assert.deepStrictEqual(warnings, [
        `the repository "${folder}": expected a .onnx file or a folder of .onnx files, but nothing readable is there; give another path`
      ])
      renameSync(`${folder}.away`, folder)
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

/** Does something as a user whom permissions hold back, as they do not hold back root. */
const asNobody = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => (process.getuid?.() === 0 ? process.seteuid?.(65_534) : undefined)),
    () => effect,
    () => Effect.sync(() => (process.getuid?.() === 0 ? process.seteuid?.(0) : undefined))
  )

it.live("serves on what it may not look at any longer, and the index says why", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "n.onnx", { model: "more/triple" })
    chmodSync(folder, 0o755)
    let told = 0
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const unread = (what: string) => `READY, what came since is not served: its ${what} cannot be read`
      for (const [place, mode, expected] of [
        ["m/1", 0, [`m/1: ${unread('"1/model.onnx"')}`, "n/1: READY"]],
        ["m", 0, [`m/1: ${unread("folder")}`, "n/1: READY"]],
        [".", 0o644, [`m/1: ${unread("folder")}`, `n/1: ${unread("file")}`]]
      ] as const) {
        const served = soon(service, ["m/1: READY", "n/1: READY"])
        yield* served
        told += expected.filter((line) => line.includes("cannot be read")).length
        chmodSync(join(folder, place), mode)
        yield* asNobody(
          Effect.gen(function* () {
            yield* soon(service, expected)
            yield* until(() => warnings.length >= told)
            yield* Effect.sleep("60 millis")
            yield* soon(service, expected)
          })
        )
        assert.deepStrictEqual(yield* factor(service), { version: "1", factor: 2 })
        chmodSync(join(folder, place), 0o755)
        yield* served
      }
      assert.lengthOf(warnings, 4)
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

it.live("passes over what systems put into a folder: a volume's lost+found, macOS's ._ files", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "m/._1", "no model")
    Folder.put(folder, "._m.onnx", "no model")
    Folder.put(folder, ".git/1/model.onnx", "no model")
    mkdirSync(`${folder}/lost+found`, 0o700)
    chmodSync(folder, 0o755)
    const names = yield* Effect.gen(function* () {
      return (yield* (yield* ModelRepository).list).map(({ name, fault }) => [name, fault])
    }).pipe(Effect.provide(ModelRepository.layer(folder)), asNobody)
    assert.deepStrictEqual(names, [["m", undefined]])
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)

it.live(
  "serves tensors: says which outputs it leaves out, and refuses where an input, or all outputs, are something else",
  () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const { layer: logger, warnings } = log()
      Folder.put(folder, "some.onnx", { model: "more/some-pieces" })
      yield* Effect.gen(function* () {
        const service = yield* DataPlane
        const { outputs } = yield* service.infer({ model: "some" }, one)
        assert.deepStrictEqual(
          outputs.map(({ name, data }) => [name, data]),
          [["y", Float32Array.of(-1)]]
        )
        const what = '"pieces", in a sequence or map where the protocol has tensors'
        const advice = "export it with tensors, such as one of scikit-learn without ZipMap"
        assert.deepStrictEqual(warnings, [`the model "some" is served without ${what}; ${advice}`])
        for (const [model, reason] of [
          ["only", `it gives only ${what}; ${advice}`],
          ["takes", `it takes ${what}; export it with tensors`]
        ] as const) {
          Folder.put(folder, `${model}.onnx`, { model: `more/${model}-pieces` })
          const { message } = yield* Effect.flip(service.load(model))
          assert.strictEqual(message, `failed to load the model "${model}": ${reason}`)
        }
      }).pipe(Effect.provide(layer(folder)), Effect.provide(logger))
    }).pipe(Effect.scoped)
)

it.live("begins with nothing where models may come later, and lists what is there to be loaded", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const reason = "it is not loaded"
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      yield* service.serverReady
      Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
      Folder.put(folder, "m/3/model.onnx", { model: "more/double" })
      assert.deepStrictEqual(yield* service.index, [{ name: "m", version: "3", state: "UNAVAILABLE", reason }])
      yield* service.load("m")
      assert.deepStrictEqual(yield* states(service), [["3", "READY", ""]])
      rmSync(`${folder}/m`, { recursive: true })
      assert.deepStrictEqual(yield* states(service), [["3", "READY", ""]])
    }).pipe(Effect.provide(layer(folder, { onRequest: true })))
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      yield* service.serverReady
      assert.deepStrictEqual(yield* service.index, [])
      Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
      yield* soon(service, ["m/1: READY"])
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })))
    rmSync(`${folder}/m`, { recursive: true })
    const nothing = "no model is there; put one there or give another path"
    assert.include((yield* Effect.flip(Effect.void.pipe(Effect.provide(layer(folder))))).message, nothing)
    Folder.put(folder, "notes.txt", "no model")
    const file = layer(join(folder, "notes.txt"), { poll: "20 millis" })
    assert.include((yield* Effect.flip(Effect.void.pipe(Effect.provide(file)))).message, nothing)
  }).pipe(Effect.scoped)
)

it.live("takes nothing for gone where the repository is moved or replaced while it is read", () =>
  Effect.gen(function* () {
    const root = yield* Folder.make
    const [folder, away, other] = ["repository", "away", "other"].map((name) => join(root, name)) as [
      string,
      string,
      string
    ]
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    Folder.put(other, "n.onnx", { model: "more/double" })
    let meanwhile: (() => void) | undefined
    const fs = yield* FileSystem.FileSystem
    const disturbed = Layer.succeed(FileSystem.FileSystem, {
      ...fs,
      readDirectory: (path, options) =>
        Effect.tap(fs.readDirectory(path, options), () =>
          Effect.sync(() => {
            meanwhile?.()
            meanwhile = undefined
          })
        )
    })
    yield* Effect.gen(function* () {
      const repository = yield* ModelRepository
      const names = Effect.map(repository.list, (entries) => entries.map(({ name }) => name))
      assert.deepStrictEqual(yield* names, ["m"])
      meanwhile = () => renameSync(folder, away)
      assert.strictEqual((yield* Effect.flip(names)).reason, "nothing readable is there; give another path")
      renameSync(away, folder)
      meanwhile = () => {
        renameSync(folder, away)
        renameSync(other, folder)
      }
      // It is looked at again at once.
      assert.deepStrictEqual(yield* names, ["n"])
    }).pipe(
      Effect.provide(ModelRepository.layer(folder)),
      Effect.provide(disturbed),
      Effect.provide(NodeServices.layer)
    )
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)

it.live("has no settings of a file that is removed while it is read", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    settings(folder, { max_batch_size: -3 })
    const fs = yield* FileSystem.FileSystem
    const disturbed = Layer.succeed(FileSystem.FileSystem, {
      ...fs,
      readFileString: (path, encoding) => {
        if (path.endsWith("config.json")) rmSync(path)
        return fs.readFileString(path, encoding)
      }
    })
    const [entry] = yield* Effect.flatMap(ModelRepository, ({ list }) => list).pipe(
      Effect.provide(ModelRepository.layer(folder)),
      Effect.provide(disturbed)
    )
    assert.deepStrictEqual(entry!.settings, Result.succeed({}))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)

it.live("has no model of a file that is removed since it was found", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const fs = yield* FileSystem.FileSystem
    for (const [place, looks] of [
      ["m/1/model.onnx", 2],
      ["n.onnx", 1]
    ] as const) {
      Folder.put(folder, place, { model: "more/double" })
      let looked = 0
      const disturbed = Layer.succeed(FileSystem.FileSystem, {
        ...fs,
        stat: (path) => {
          if (path.endsWith(place) && ++looked === looks) rmSync(path)
          return fs.stat(path)
        }
      })
      const entries = yield* Effect.flatMap(ModelRepository, ({ list }) => list).pipe(
        Effect.provide(ModelRepository.layer(folder)),
        Effect.provide(disturbed)
      )
      assert.deepStrictEqual([entries, looked], [[], looks])
    }
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)

it.live("sees at its next look that settings have changed while they were read", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    settings(folder, { max_batch_size: 3 })
    let read = 0
    const fs = yield* FileSystem.FileSystem
    const disturbed = Layer.succeed(FileSystem.FileSystem, {
      ...fs,
      readFileString: (path, encoding) =>
        Effect.tap(fs.readFileString(path, encoding), () =>
          Effect.sync(() => {
            if (++read === 1) settings(folder, { max_batch_size: 40 })
          })
        )
    })
    const [before, after] = yield* Effect.flatMap(ModelRepository, ({ list }) => Effect.all([list, list])).pipe(
      Effect.provide(ModelRepository.layer(folder)),
      Effect.provide(disturbed)
    )
    assert.deepStrictEqual(
      [before, after].map(([entry]) => Result.getOrThrow(entry!.settings).max_batch_size),
      [3, 40]
    )
    assert.notStrictEqual(before[0]!.versions[0]!.stamp, after[0]!.versions[0]!.stamp)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)

it.live("tells nothing of a model whose files go while it is opened, or before they have all come", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    let looks = 0
    let meanwhile = () => {}
    const disturbed = Layer.effect(
      ModelRepository,
      Effect.map(ModelRepository, (repository) => ({
        ...repository,
        list: Effect.tap(repository.list, (found) =>
          Effect.sync(() => {
            looks += 1
            if (found.some(({ name }) => name !== "m")) meanwhile()
          })
        )
      }))
    ).pipe(Layer.provide(ModelRepository.layer(folder)), Layer.provide(NodeServices.layer))
    const serving = DataPlane.layer({ providers: ["cpu"], poll: "20 millis" }).pipe(
      Layer.provide(disturbed),
      Layer.provide(NodeServices.layer)
    )
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const lookAgain = Effect.suspend(() => {
        const before = looks
        return until(() => looks > before + 3)
      })
      meanwhile = () => rmSync(`${folder}/n.onnx`, { force: true })
      Folder.put(folder, "n.onnx", { model: "more/triple" })
      yield* until(() => !existsSync(`${folder}/n.onnx`))
      yield* lookAgain
      yield* soon(service, ["m/1: READY"])
      meanwhile = () => rmSync(`${folder}/o`, { recursive: true, force: true })
      Folder.put(folder, "o/config.json", "{}")
      yield* until(() => !existsSync(`${folder}/o`))
      yield* lookAgain
      yield* soon(service, ["m/1: READY"])
      assert.deepStrictEqual(warnings, [])
    }).pipe(Effect.provide(serving), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

it.live("holds up only the models that have one name", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "double/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const twice = 'a folder "double" and a file "double.onnx" are there; rename or remove one of the two'
      Folder.put(folder, "double.onnx", { model: "more/triple" })
      yield* soon(service, [`double/1: READY, what came since is not served: ${twice}`, "m/1: READY"])
      Folder.put(folder, "m/2/model.onnx", { model: "more/triple" })
      yield* Effect.retry(factor(service, "2"), { times: 2_000, schedule: Schedule.spaced("20 millis") })
      yield* service.modelReady({ model: "double" })
      assert.deepStrictEqual(warnings, [`the model "double" cannot be served as it lies in the repository: ${twice}`])
      assert.strictEqual(
        (yield* Effect.flip(service.load("double"))).message,
        `failed to load the model "double": failed to poll from model repository: ${twice}`
      )
      assert.include((yield* Effect.flip(service.load("double", { config: "{}" }))).message, twice)
      rmSync(`${folder}/double`, { recursive: true })
      yield* Effect.retry(
        Effect.filterOrFail(service.infer({ model: "double" }, one), ({ outputs }) => outputs[0]!.data[0] === 3),
        { times: 2_000, schedule: Schedule.spaced("20 millis") }
      )
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

it.live("says of a model that is not served what is wrong with its newest version, each time anew", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "other/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const broken = "the file is not an ONNX model; export one again"
      const strange = `its config.json: Triton's ModelConfig has no "zzz"`
      Folder.put(folder, "m/1/model.onnx", "no model")
      yield* soon(service, ["other/1: READY", `m/1: UNAVAILABLE, ${broken}`])
      const outside = "the data of «factor» in «../secret» lie outside the model's folder"
      Folder.put(folder, "m/2/model.onnx", { model: "more/outside" })
      yield* soon(service, ["other/1: READY", `m/1: UNAVAILABLE, ${broken}`, `m/2: UNAVAILABLE, ${outside}`])
      assert.include((yield* Effect.flip(service.modelReady({ model: "m" }))).message, outside)
      settings(folder, { zzz: 1 })
      yield* soon(service, ["other/1: READY", `m/1: UNAVAILABLE, ${broken}`, `m/2: UNAVAILABLE, ${strange}`])
      rmSync(`${folder}/m/1`, { recursive: true })
      yield* soon(service, ["other/1: READY", `m/2: UNAVAILABLE, ${strange}`])
      rmSync(`${folder}/m`, { recursive: true })
      yield* soon(service, ["other/1: READY"])
      Folder.put(folder, "m/1/model.onnx", "no model")
      yield* soon(service, ["other/1: READY", `m/1: UNAVAILABLE, ${broken}`])
      const told = () => warnings.filter((line) => line.includes(broken))
      yield* until(() => told().length >= 2)
      assert.lengthOf(told(), 2)
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

it.live("does not start with a model that does not open", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "n.onnx", "no model")
    const failure = yield* Effect.flip(Effect.void.pipe(Effect.provide(layer(folder))))
    assert.match(failure.message, /^the model "n": .*the file is not an ONNX model/)
  }).pipe(Effect.scoped)
)

it.live("holds a model against the parity record beside it", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const parity = new URL("./fixtures/more/parity/", import.meta.url).pathname
    cpSync(`${parity}moons.onnx`, `${folder}/moons.onnx`)
    cpSync(`${parity}moons.parity.json`, `${folder}/moons.parity.json`)
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      yield* service.modelReady({ model: "moons" })
      const record = readFileSync(`${folder}/moons.parity.json`, "utf8")
      const reload = Effect.flip(service.load("moons"))
      // The samples' first free run, another number.
      const changed = record.replace(/("freeRun": \[\s*\[)[^\],]+/, "$1123.5")
      assert.notStrictEqual(changed, record)
      writeFileSync(`${folder}/moons.parity.json`, changed)
      const lost = 'failed to load the model "moons": it does not answer as its parity record says'
      assert.strictEqual((yield* reload).message, lost)
      writeFileSync(`${folder}/moons.parity.json`, record)
      const bytes = readFileSync(`${folder}/moons.onnx`)
      bytes[bytes.length - 40]! ^= 1
      writeFileSync(`${folder}/moons.onnx`, bytes)
      const other = 'failed to load the model "moons": its file is not the one that its parity record was written for'
      assert.strictEqual((yield* reload).message, other)
      yield* service.modelReady({ model: "moons" })
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("opens no model whose weights lie outside its folder, or in no file", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const wrong = 'failed to load the model "m": the data of «factor» in «'
      for (const [fixture, reason] of [
        ["more/outside", `${wrong}../secret» lie outside the model's folder`],
        ["more/absolute", `${wrong}/etc/passwd» lie outside the model's folder`]
      ] as const) {
        Folder.put(folder, "secret", "abcd")
        Folder.put(folder, "m/2/model.onnx", { model: fixture })
        assert.strictEqual((yield* Effect.flip(service.load("m"))).message, reason)
        const files = { "3/model.onnx": readFileSync(`${fixtures}/${fixture}.onnx`) }
        assert.strictEqual(
          (yield* Effect.flip(service.load("m", { config: "{}", files }))).message,
          'failed to load the model "m": it came with the request and keeps its weights in another file; send it with its weights'
        )
      }
      assert.deepStrictEqual(yield* factor(service), { version: "1", factor: 2 })
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live.each([
  ["beside", "./factor.bin"],
  ["within", "factor.bin"]
] as const)(
  "keeps the weights that it opened, whatever becomes of their file, and takes new ones as it takes a new model: %s",
  ([model, location]) =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const weights = `${folder}/m/1/factor.bin`
      const bytes = (value: number) => Buffer.from(Float32Array.of(value).buffer)
      Folder.put(folder, "m/1/model.onnx", { model: `more/${model}` })
      writeFileSync(weights, bytes(2))
      yield* Effect.gen(function* () {
        const service = yield* DataPlane
        assert.strictEqual((yield* factor(service)).factor, 2)
        writeFileSync(weights, bytes(5)) // in place, as `cp` does
        assert.strictEqual((yield* factor(service)).factor, 2)
        yield* service.load("m")
        assert.strictEqual((yield* factor(service)).factor, 5)
        // Where the file is mapped, the process ends here.
        truncateSync(weights)
        assert.strictEqual((yield* factor(service)).factor, 5)
        const { message } = yield* Effect.flip(service.load("m"))
        assert.include(message, `in «${location}» are fewer than 4 bytes from 0 on`)
        assert.strictEqual((yield* factor(service)).factor, 5)
        writeFileSync(weights, bytes(7))
        yield* service.load("m")
        assert.strictEqual((yield* factor(service)).factor, 7)
      }).pipe(Effect.provide(layer(folder)))
    }).pipe(Effect.scoped)
)

it.live("takes new weights by itself where it looks for what has changed", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const put = (value: number) => writeFileSync(`${folder}/m/1/factor.bin`, Float32Array.of(value))
    Folder.put(folder, "m/1/model.onnx", { model: "more/beside" })
    put(2)
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      put(3)
      const isNew = Effect.map(factor(service), (answer) => answer.factor === 3)
      yield* Effect.repeat(isNew, { until: (done) => done, schedule: Schedule.spaced("10 millis") })
    }).pipe(Effect.provide(layer(folder, { poll: "20 millis" })))
  }).pipe(Effect.scoped)
)

/** Number of swaps; the full measurement takes 200 swaps and 100 thread ends. */
const times = Number(process.env.RAI_SWAPS ?? 12)

it.live(
  "swaps versions and replaces threads under load: nothing fails but what a thread had in hand, nothing is mixed",
  () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const threads: Array<Worker> = []
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const listener = (worker: Worker) => threads.push(worker)
          process.on("worker", listener)
          return listener
        }),
        (listener) => Effect.sync(() => process.off("worker", listener))
      )
      const put = (version: number) =>
        Folder.put(folder, `m/${version}/model.onnx`, { model: version % 2 === 0 ? "more/double" : "more/triple" })
      put(1)
      yield* Effect.gen(function* () {
        const service = yield* DataPlane
        const seen = { unavailable: 0, versions: new Set<string>() }
        const load = Effect.gen(function* () {
          const answers = yield* all(
            Array.from({ length: 16 }, (_, i) => ask(service, { model: "m" }, x(1, Float32Array.of(i))))
          )
          for (const [i, answered] of answers.entries()) {
            if (Result.isFailure(answered)) {
              assert.strictEqual(answered.failure._tag, "ModelUnavailable", answered.failure.message)
              seen.unavailable += 1
            } else {
              const { outputs, version } = answered.success
              assert.strictEqual(outputs[0]!.data[0], i * (Number(version) % 2 === 0 ? 2 : 3))
              seen.versions.add(version)
            }
          }
          yield* Effect.sleep("1 millis")
        }).pipe(Effect.forever)
        const loading = yield* Effect.forkChild(load)
        for (let version = 2; version < 2 + times; version++) {
          put(version)
          yield* service.load("m")
          while (!seen.versions.has(String(version))) yield* Effect.sleep("1 millis")
          rmSync(`${folder}/m/${version - 1}`, { recursive: true })
        }
        assert.strictEqual(seen.unavailable, 0)
        for (let i = 0; i < times / 2; i++) {
          const living = threads.filter(({ threadId }) => threadId !== -1)
          // No message that the thread knows: a fault in it.
          living.at(-1)!.postMessage(null)
          const restarts = Effect.map(service.statistics({ model: "m" }), ([counts]) => counts!.restarts)
          while ((yield* restarts) === i) yield* Effect.sleep("5 millis")
          yield* service.serverReady.pipe(Effect.retry({ times: 200, schedule: Schedule.spaced("20 millis") }))
          assert.strictEqual((yield* factor(service)).version, String(1 + times))
        }
        yield* Fiber.interrupt(loading)
        const [counts] = yield* service.statistics({ model: "m" })
        assert.strictEqual(counts!.restarts, times / 2)
        const living = threads.filter(({ threadId }) => threadId !== -1)
        assert.lengthOf(living, 1)
      }).pipe(Effect.provide(layer(folder)))
    }).pipe(Effect.scoped),
  { timeout: 600_000 }
)
