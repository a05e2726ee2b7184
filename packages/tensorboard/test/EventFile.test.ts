import { spawnSync } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, History, Moons, Plan, ReferenceEngine, TfjsEngine, Training } from "@rai/core"
import * as NativeLibrary from "@rai/core/native"
import { Loss, Picture } from "@rai/plots"
import { EventFile, TensorBoard } from "@rai/tensorboard"
import { Effect, Layer, Option, Result, Stream } from "effect"
import { decode } from "fast-png"
import * as TfRecord from "../src/TfRecord.ts"
import * as Records from "./Records.ts"

const folder = (): string => mkdtempSync(join(tmpdir(), "rai events "))

const writing = <A, E, R>(of: EventFile.Options, program: Effect.Effect<A, E, R>) =>
  Effect.provide(program, Layer.provide(EventFile.EventFile.layer(of), NodeServices.layer))

const measurements = [0, 10, 20].map((step) => ({ step, relaxedLoss: 0.7 / (1 + step), freeRunLoss: 0.7 }))

const native = await Effect.runPromise(Effect.provide(NativeLibrary.status, NodeServices.layer))
const hasNative = Option.isSome(native) && native.value._tag === "Installed"

// RAI_TENSORBOARD names a Python with TensorBoard, if there is one.
const python = process.env.RAI_TENSORBOARD ?? "python3"
const hasTensorBoard = spawnSync(python, ["-c", "import tensorboard"]).status === 0

const asTensorBoardSees = (of: string) => {
  const script = fileURLToPath(new URL("tensorboard.py", import.meta.url))
  const { stderr, stdout } = spawnSync(python, [script, of], { encoding: "utf8" })
  assert.notStrictEqual(stdout, "", stderr)
  return JSON.parse(stdout) as Readonly<
    Record<"scalars" | "images", Readonly<Record<string, ReadonlyArray<ReadonlyArray<number>>>>>
  >
}

describe("a record", () => {
  it("has the checksum of RFC 3720, B.4: 32 zeros", () => {
    const record = Buffer.from(TfRecord.encode(new Uint8Array(32)))
    const turned = (record.readUInt32LE(44) - 0xa282ead8) >>> 0
    assert.strictEqual(((turned << 15) | (turned >>> 17)) >>> 0, 0x8a9136aa)
  })
})

describe("an event file", () => {
  it.effect("holds numbers, and pictures as they are", () =>
    Effect.gen(function* () {
      const at = folder()
      const png = yield* Picture.png(yield* Loss.svg({ measurements }))
      const file = yield* writing(
        { folder: at },
        EventFile.EventFile.use(({ file, image, scalars }) =>
          Effect.as(
            Effect.andThen(
              scalars(3, { "loss/free run": 0.25, "loss/relaxed": Number.NaN, "loss/validation": 1e39 }),
              image(4, "loss", png)
            ),
            file
          )
        )
      )
      assert.strictEqual(Records.fileOf(at), file)
      const [free, relaxed, validation, picture, ...others] = Records.values(file)
      assert.deepStrictEqual(others, [])
      assert.deepInclude(free, { step: 3, tag: "loss/free run", number: 0.25 })
      assert.deepInclude(relaxed, { step: 3, tag: "loss/relaxed", number: Number.NaN })
      assert.deepInclude(validation, { step: 3, tag: "loss/validation", number: Number.POSITIVE_INFINITY })
      assert.deepInclude(picture, { step: 4, tag: "loss" })
      const { height, width } = decode(picture!.image!.png)
      assert.deepStrictEqual([picture!.image!.width, picture!.image!.height], [width, height])
      assert.deepStrictEqual(picture!.image!.png, Buffer.from(png))
    })
  )

  it.skipIf(!hasNative)("is what tfjs-node's own writer writes, byte for byte but for the time", async () => {
    const [ours, theirs] = [folder(), folder()]
    await Effect.runPromise(
      writing(
        { folder: ours },
        EventFile.EventFile.use(({ scalars }) =>
          Effect.forEach([0, 1, 300], (step) => scalars(step, { "loss/free run": 1 / (1 + step) }))
        )
      )
    )
    await Effect.runPromise(Effect.scoped(Layer.build(TfjsEngine.layerNative))) // loads tfjs-node as Node 24 takes it
    const core = createRequire(import.meta.url).resolve("@rai/core")
    const { node } = createRequire(core)("@tensorflow/tfjs-node")
    const writer = node.summaryFileWriter(theirs)
    for (const step of [0, 1, 300]) writer.scalar("loss/free run", 1 / (1 + step), step)
    writer.flush()
    // The time comes first: a byte that names it, and a double.
    const timeless = (at: string) =>
      Records.records(Records.fileOf(at)).map((record) => Records.payload(record).subarray(9))
    const [first, ...rest] = timeless(ours)
    const [theirFirst, ...theirRest] = timeless(theirs)
    assert.include(first!.toString("latin1"), "brain.Event:2")
    assert.include(theirFirst!.toString("latin1"), "brain.Event:2")
    assert.deepStrictEqual(rest, theirRest)
    for (const record of Records.records(Records.fileOf(theirs))) {
      assert.deepStrictEqual(Buffer.from(TfRecord.encode(Records.payload(record))), record)
    }
  })

  it.effect("says of a folder that cannot be one what is wrong, before anything else happens", () =>
    Effect.gen(function* () {
      const at = join(folder(), "file")
      writeFileSync(at, "")
      const messages = yield* Effect.forEach([at, join(at, "below")], (of) =>
        Effect.map(Effect.result(writing({ folder: of }, Effect.void)), (result) =>
          Result.isFailure(result) ? result.failure.message : "none"
        )
      )
      const expected = "expected a folder that event files for TensorBoard can be written to, but"
      assert.deepStrictEqual(messages, [
        `${at}: ${expected} a file stands there; name another`,
        `${at}/below: ${expected} the system says: not a directory; name another`
      ])
      assert.strictEqual(readFileSync(at, "utf8"), "")
    })
  )

  it.effect.skipIf(process.getuid?.() === 0)("nor one that may not be written to", () =>
    Effect.gen(function* () {
      const at = folder()
      chmodSync(at, 0o500)
      const { message } = yield* Effect.flip(writing({ folder: at }, Effect.void))
      assert.include(message, "permission denied")
    })
  )
})

describe("a run", () => {
  const run = Effect.gen(function* () {
    const data = yield* Moons.make({ examples: 20, seed: 1 })
    const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
    const plan = Plan.relax({ steps: 20 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 10 })))
    return Training.stream(circuit, data, { plan, seed: 0 })
  })

  it.effect("passes on each event, and its numbers are those of its history", () =>
    Effect.gen(function* () {
      const at = folder()
      const plain = yield* Stream.runCollect(yield* run)
      const events = yield* writing({ folder: at }, Stream.runCollect(TensorBoard.record(yield* run)))
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        plain.map(({ _tag }) => _tag)
      )
      const { freeRunLoss, largestResidual, step: _, total } = History.columns(History.of(events))
      const values = Records.values(Records.fileOf(at))
      const of = (tag: string) => values.filter((value) => value.tag === tag)
      assert.deepStrictEqual(
        of("loss/free run").map(({ step }) => step),
        [...total!]
      )
      assert.deepStrictEqual(
        of("loss/free run").map(({ number }) => number),
        freeRunLoss!.map(Math.fround)
      )
      assert.deepStrictEqual(
        of("residual/largest of the cuts").map(({ number }) => number),
        largestResidual!.filter((value) => !Number.isNaN(value)).map(Math.fround)
      )
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("whose folder is lost fails with one line, and the events before have been passed on", () =>
    Effect.gen(function* () {
      const at = folder()
      const seen: Array<string> = []
      const { message } = yield* Effect.flip(
        writing(
          { folder: at },
          Stream.runForEach(TensorBoard.record(yield* run), ({ _tag }) =>
            Effect.sync(() => {
              if (seen.push(_tag) === 5) rmSync(at, { recursive: true })
            })
          )
        )
      )
      assert.match(message, /: expected a folder that event files .* no such file or directory; name another$/)
      assert.isAtLeast(seen.length, 5)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

const why = hasTensorBoard ? "" : " (skipped: RAI_TENSORBOARD names no Python that has it)"
describe.skipIf(!hasTensorBoard)(`TensorBoard${why}`, () => {
  it.effect("shows numbers and pictures, and of a run that went on none twice", () =>
    Effect.gen(function* () {
      const at = folder()
      const png = yield* Picture.png(yield* Loss.svg({ measurements }))
      const losses = (...steps: ReadonlyArray<number>) =>
        EventFile.EventFile.use(({ scalars }) =>
          Effect.forEach(steps, (step) => scalars(step, { loss: 1 / (1 + step) }))
        )
      yield* writing({ folder: at }, losses(0, 10, 20, 30))
      yield* writing({ folder: at, after: 10 }, losses(20, 40))
      yield* writing(
        { folder: at, after: 40 },
        EventFile.EventFile.use(({ image }) => image(40, "loss", png))
      )
      const { images, scalars } = asTensorBoardSees(at)
      assert.deepStrictEqual(scalars, { loss: [0, 10, 20, 40].map((step) => [step, Math.fround(1 / (1 + step))]) })
      assert.deepStrictEqual(Object.keys(images), ["loss"])
      const { height, width } = decode(png)
      assert.deepStrictEqual(images.loss, [[40, width, height]])
    })
  )
})
