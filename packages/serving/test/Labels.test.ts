import { execFileSync } from "node:child_process"
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { DataPlane } from "../src/DataPlane.ts"
import * as Labels from "../src/repository/Labels.ts"
import { fixtures } from "./Client.ts"
import * as Folder from "./Folder.ts"
import { layer } from "./Plane.ts"

const named = (file: string) => JSON.stringify({ output: [{ name: "y", label_filename: file }] })

const labelsOf = (service: DataPlane["Service"]) => service.signature({ model: "m" })?.outputs[0]?.labels

it.live("labels are lines of a file in the model's folder, and are read anew when it changes", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "sigmoid" })
    Folder.put(folder, "m/config.json", named("names/labels.txt"))
    Folder.put(folder, "m/names/first.txt", "ẑ\r\n\r\nthird: last\r\n")
    symlinkSync("first.txt", `${folder}/m/names/labels.txt`)
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      assert.deepStrictEqual(labelsOf(service), ["ẑ", "", "third: last", ""])
      assert.strictEqual(service.signature({ model: "m" })?.outputs[1]?.labels, undefined)
      Folder.put(folder, "m/names/first.txt", "a\nb\nc")
      yield* Effect.sync(() => labelsOf(service)).pipe(
        Effect.repeat({ until: (labels) => labels?.[0] === "a", schedule: Schedule.spaced("20 millis") })
      )
      assert.deepStrictEqual(labelsOf(service), ["a", "b", "c"])
    }).pipe(Effect.provide(layer(folder, { poll: "50 millis" })))
  }).pipe(Effect.scoped)
)

it.live("labels are read from the model's folder alone, from a file of a bounded size", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "secret", "secret")
    Folder.put(folder, "m/1/model.onnx", { model: "sigmoid" })
    Folder.put(folder, "flat.onnx", { model: "sigmoid" })
    symlinkSync("../secret", `${folder}/m/link`)
    symlinkSync("..", `${folder}/m/up`)
    linkSync(`${folder}/secret`, `${folder}/m/hard`)
    mkdirSync(`${folder}/m/folder`)
    execFileSync("mkfifo", [`${folder}/m/pipe`])
    writeFileSync(`${folder}/m/long`, Buffer.alloc(Labels.maxBytes + 1))
    writeFileSync(`${folder}/m/full`, Buffer.alloc(Labels.maxBytes, "\n"))
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const refused = (model: string, file: string, files?: Readonly<Record<string, Uint8Array>>) =>
        Effect.map(Effect.flip(service.load(model, { config: named(file), files })), ({ message }) => message)
      const outside = "lie outside the model's folder"
      const second = "are in a file that has another name too, a hard link, maybe outside the folder"
      for (const [file, reason] of [
        ["../secret", outside],
        ["a/../../secret", outside],
        ["..\\secret", outside],
        [`${folder}/secret`, outside],
        ["/etc/passwd", outside],
        ["link", outside],
        ["up/secret", outside],
        [".", outside],
        ["hard", second],
        ["folder", "are in no file"],
        ["pipe", "are in no file"],
        ["none", "cannot be read"],
        ["a\0b", "cannot be read"],
        ["long", "are 4194305 bytes, and may be 4194304"]
      ] as const) {
        const quoted = JSON.stringify(file)
        const said = quoted.length > 62 ? `${quoted.slice(0, 61)}…"` : quoted
        assert.strictEqual(yield* refused("m", file), `failed to load the model "m": its labels in ${said} ${reason}`)
      }
      const none = 'have no folder to lie in, for the model has none; leave "label_filename" out'
      assert.strictEqual(
        yield* refused("flat", "secret"),
        `failed to load the model "flat": its labels in "secret" ${none}`
      )
      const files = { "2/model.onnx": readFileSync(`${fixtures}/sigmoid.onnx`) }
      assert.strictEqual(
        yield* refused("m", "full", files),
        `failed to load the model "m": its labels in "full" ${none}`
      )
      assert.strictEqual(labelsOf(service), undefined)
      yield* service.load("m", { config: named("full") })
      assert.lengthOf(labelsOf(service) ?? [], Labels.maxBytes + 1)
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)
