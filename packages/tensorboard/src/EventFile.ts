/**
 * A TensorBoard event file that is complete after each write: a killed process leaves what it has written.
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { Clock, Context, Effect, FileSystem, Layer, Path, type PlatformError, Schema } from "effect"
import { EventSchema, SessionLog_SessionStatus } from "./event_pb.ts"
import * as TfRecord from "./TfRecord.ts"

/** A folder for TensorBoard that cannot be created or written to. */
export class EventFileUnwritable extends Schema.TaggedError<EventFileUnwritable>()("EventFileUnwritable", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.folder}: expected a folder that event files for TensorBoard can be written to, but ${this.reason}; name another`
  }
}

/** Where an event file is, and whether it continues an earlier one. */
export interface Options {
  /** Its folder, created if needed; TensorBoard shows each folder as a run. */
  readonly folder: string
  /** For a resumed run: the step after which the folder's earlier files no longer count. */
  readonly after?: number | undefined
}

/** Writes scalars and images by step. */
export class EventFile extends Context.Service<
  EventFile,
  {
    readonly file: string
    /** Writes scalars by tag, such as `loss/free run`; TensorBoard groups tags by the part before the slash. */
    readonly scalars: (
      step: number,
      values: Readonly<Record<string, number>>
    ) => Effect.Effect<void, EventFileUnwritable>
    /** Writes an image, given as the bytes of a PNG. */
    readonly image: (step: number, tag: string, png: Uint8Array) => Effect.Effect<void, EventFileUnwritable>
  }
>()("@rai/tensorboard/EventFile") {
  /** Creates an event file in a folder; fails with `EventFileUnwritable` before any training. */
  static readonly layer = (
    options: Options
  ): Layer.Layer<EventFile, EventFileUnwritable, FileSystem.FileSystem | Path.Path> =>
    Layer.effect(EventFile, make(options))
}

/** Creates the folder if needed; fails where it cannot be created or written to. */
export const prepare = Effect.fn("EventFile.prepare")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* Effect.gen(function* () {
    // Node's recursive mkdir never ends where the system reports an existing parent as missing.
    const recursive = !(yield* fs.exists(path.dirname(path.resolve(folder))))
    if (!(yield* fs.exists(folder))) yield* fs.makeDirectory(folder, { recursive })
    if ((yield* fs.stat(folder)).type !== "Directory")
      return yield* new EventFileUnwritable({ folder, reason: "a file stands there" })
    yield* fs.access(folder, { writable: true })
  }).pipe(Effect.catchTag("PlatformError", (error) => unwritable(folder, error)))
})

/** Creates an event file as `EventFile.layer` does. */
export const make = Effect.fn("EventFile.make")(function* ({ after, folder }: Options) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* prepare(folder)
  const began = yield* Clock.currentTimeMillis
  // TensorBoard reads the files of a folder in the order of their names.
  const seconds = String(Math.floor(began / 1000)).padStart(10, "0")
  const file = path.join(folder, `events.out.tfevents.${seconds}.rai.${began % 1000}`)
  const write = Effect.fnUntraced(function* (event: Omit<MessageInitShape<typeof EventSchema>, "$typeName">) {
    const wallTime = (yield* Clock.currentTimeMillis) / 1000
    const record = TfRecord.encode(toBinary(EventSchema, create(EventSchema, { ...event, wallTime })))
    yield* Effect.mapError(fs.writeFile(file, record, { flag: "a" }), (error) => unwritable(folder, error))
  })
  const summary = (step: number, value: ReadonlyArray<Value>) =>
    write({ step: BigInt(step), what: { case: "summary", value: { value: [...value] } } })
  yield* write({ what: { case: "fileVersion", value: "brain.Event:2" } })
  if (after !== undefined) {
    const status = SessionLog_SessionStatus.START
    yield* write({ step: BigInt(after + 1), what: { case: "sessionLog", value: { status } } })
  }
  return EventFile.of({
    file,
    scalars: (step, values) => {
      const each = Object.entries(values)
      const scalar = ([tag, value]: readonly [string, number]): Value => ({
        tag,
        // float32, where larger numbers are infinite; the format refuses them otherwise.
        value: { case: "simpleValue", value: Math.fround(value) }
      })
      return each.length === 0 ? Effect.void : summary(step, each.map(scalar))
    },
    image: (step, tag, png) => summary(step, [{ tag, value: { case: "image", value: image(png) } }])
  })
})

type Value = NonNullable<
  Extract<NonNullable<MessageInitShape<typeof EventSchema>["what"]>, { case: "summary" }>["value"]["value"]
>[number]

/** Red, green, blue and alpha. */
const colourspace = 4

const image = (png: Uint8Array) => {
  // A PNG's header has its width and height at bytes 16 and 20.
  const header = new DataView(png.buffer, png.byteOffset, png.byteLength)
  return {
    width: header.getInt32(16),
    height: header.getInt32(20),
    colorspace: colourspace,
    encodedImageString: Uint8Array.from(png)
  }
}

const unwritable = (folder: string, { reason }: PlatformError.PlatformError): EventFileUnwritable => {
  // Node's format: «EACCES: permission denied, mkdir '/runs'».
  const said = reason.cause instanceof Error ? /^\w+: ([^,]+)/.exec(reason.cause.message)?.[1] : undefined
  return new EventFileUnwritable({ folder, reason: `the system says: ${said ?? reason._tag}` })
}
