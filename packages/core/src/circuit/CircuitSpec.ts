/**
 * Circuits as text: what the command line accepts and a checkpoint stores.
 */
import { Data, Effect, FileSystem, Record } from "effect"
import type { CircuitJson as Json } from "../schema/CircuitJson.ts"
import * as BlockKinds from "./BlockKinds.ts"
import * as Circuit from "./Circuit.ts"
import * as GraphSpec from "./GraphSpec.ts"

/** The circuit description is invalid. */
export class CircuitInvalid extends Data.TaggedError("CircuitInvalid")<{
  readonly reason: string
}> {
  override get message(): string {
    return this.reason
  }
}

/**
 * Parses widths with repeats, such as `2,100x100,1`.
 *
 * ```ts
 * import { CircuitSpec } from "@rai/core"
 * import { Effect } from "effect"
 *
 * Effect.runSync(CircuitSpec.widths("2,42,100x3,1")) // => [2, 42, 100, 100, 100, 1]
 * ```
 */
export const widths = (text: string): Effect.Effect<ReadonlyArray<number>, CircuitInvalid> =>
  Effect.gen(function* () {
    const parsed: Array<number> = []
    for (const part of text.split(",")) {
      const [width, times = "1", ...rest] = part
        .trim()
        .split("x")
        .map((digits) => (/^\d{1,6}$/.test(digits) ? digits : "0"))
      if (Number(width) < 1 || Number(times) < 1 || rest.length > 0) {
        const reason = `expected widths such as 2,100x100,1 (100x100 is a hundred layers of 100 units), but «${part}» came in «${text}»; write whole numbers from 1 to 999999, separated by commas`
        return yield* new CircuitInvalid({ reason })
      }
      parsed.push(...Array<number>(Number(times)).fill(Number(width)))
    }
    if (parsed.length >= 2) return parsed
    const reason = `expected at least an input and an output width, such as 2,100,1, but «${text}» came; add the missing width`
    return yield* new CircuitInvalid({ reason })
  })

/** The kinds of blocks that a circuit in a file may use. */
export const kinds: ReadonlyArray<string> = Object.keys(BlockKinds.table)

/** Writes the circuit as JSON; stages of your own by their kind, which `fromJson` does not know. */
export const toJson = (circuit: Circuit.Circuit): Json => {
  switch (circuit._tag) {
    case "Block":
      if (circuit.graph !== undefined) return { graph: GraphSpec.toJson(circuit) }
      return Object.keys(circuit.settings).length === 0
        ? { kind: circuit.kind }
        : { kind: circuit.kind, settings: circuit.settings }
    case "Sequence":
      return { sequence: circuit.children.map(toJson) }
    case "Repeat":
      return { repeat: toJson(circuit.child), times: circuit.times }
    case "Residual":
      return { residual: toJson(circuit.child) }
    case "Branch":
      return { branch: circuit.children.map(toJson) }
  }
}

const mostTimes = 100_000

/** Reads a circuit that `toJson` wrote. */
export const fromJson = (json: Json): Effect.Effect<Circuit.Circuit, CircuitInvalid> => at(json, "")

/** Reads the block at a path of the circuit. */
const at = (json: Json, path: string): Effect.Effect<Circuit.Circuit, CircuitInvalid> =>
  Effect.gen(function* () {
    const place = path === "" ? "" : ` in block ${path}`
    const each = (children: ReadonlyArray<Json>) =>
      Effect.forEach(children, (child, i) => at(child, Circuit.join(path, i)))
    if ("sequence" in json) return Circuit.sequence(...(yield* each(json.sequence)))
    if ("repeat" in json) {
      const { times } = json
      if (times >= 1 && times <= mostTimes)
        return Circuit.repeat(yield* at(json.repeat, Circuit.join(path, "*")), times)
      const reason = `expected a repeat of 1 to ${mostTimes} times, but ${times} came${place}; write how often the block is repeated`
      return yield* new CircuitInvalid({ reason })
    }
    if ("residual" in json) return Circuit.residual(yield* at(json.residual, Circuit.join(path, 0)))
    if ("branch" in json) {
      const [first, ...rest] = yield* each(json.branch)
      if (first !== undefined) return Circuit.branch(first, ...rest)
      const reason = `expected a branch of one block or more, but an empty one came${place}; write what stands side by side`
      return yield* new CircuitInvalid({ reason })
    }
    if ("graph" in json) {
      const reason = `expected a graph as rai wrote it, but another came${place}; take the circuit from its model again`
      return yield* Effect.try({
        try: () => GraphSpec.fromJson(json.graph),
        catch: () => new CircuitInvalid({ reason })
      }).pipe(
        Effect.flatMap((block) =>
          block === undefined ? Effect.fail(new CircuitInvalid({ reason })) : Effect.succeed(block)
        )
      )
    }
    const kind = BlockKinds.table[json.kind]
    if (kind === undefined) {
      const known = kinds.join(", ")
      const reason = `expected a block of kind ${known}, but «${json.kind}» came${place}; build circuits with stages of your own in code`
      return yield* new CircuitInvalid({ reason })
    }
    const settings = Record.map(json.settings ?? {}, Number) // true is 1, false 0
    const wrong = BlockKinds.wrong(kind, settings)
    if (wrong === undefined) return kind.make(settings)
    const example = JSON.stringify({ kind: json.kind, settings: kind.example })
    const reason = `expected a ${json.kind} block with ${wrong.expected}, but ${wrong.came} came${place}; write for instance ${example}`
    return yield* new CircuitInvalid({ reason })
  })

/**
 * Reads a circuit from a JSON file as `toJson` writes it:
 *
 *     {"sequence": [{"kind": "linear", "settings": {"inputs": 2, "outputs": 8}}, {"kind": "tanh"}, {"residual": …}, …]}
 *
 * It also reads the `circuit.json` of a run's folder, but of that only the circuit, not its parameters.
 */
export const read = Effect.fn("CircuitSpec.read")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const invalid = (came: string) => {
    const reason = `expected a circuit as JSON in ${file}, but ${came}; write for instance {"sequence": [{"kind": "linear", "settings": {"inputs": 2, "outputs": 1}}]}`
    return new CircuitInvalid({ reason })
  }
  const text = yield* Effect.mapError(fs.readFileString(file), () => invalid("there is no such file that can be read"))
  const json = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: (error) => invalid(`it is no JSON (${(error as Error).message})`)
  })
  const { fromFile } = yield* Effect.promise(() => import("../schema/CircuitJson.ts"))
  const found = yield* Effect.mapError(fromFile(json), (fault) => invalid(`it holds something else, ${fault}`))
  const circuit = yield* Effect.mapError(
    fromJson(found),
    ({ reason }) => new CircuitInvalid({ reason: `${file}: ${reason}` })
  )
  return Circuit.depth(circuit) > 0 ? circuit : yield* invalid("it has no linear block, so nothing to train")
})
