/**
 * The judges' verdicts on the models, as a table.
 */
import { Circuit, CircuitSpec } from "@rai/core"
import { Schema } from "effect"
import type { RandomModel } from "./RandomModel.ts"

const Verdict = Schema.Struct({
  passed: Schema.Boolean,
  /** The largest |a − b| / (1 + |b|) from the free run, for a judge that runs models. */
  difference: Schema.optionalKey(Schema.Finite),
  reason: Schema.optionalKey(Schema.String)
})

/** A line of output of `judge.py`: each judge's verdict on one model. */
export const Verdicts = Schema.fromJsonString(
  Schema.Struct({ name: Schema.String, verdicts: Schema.Record(Schema.String, Verdict) })
)

/** See the schema. */
export type Verdicts = typeof Verdicts.Type

/** Whether every judge passes every model. */
export const isClean = (models: ReadonlyArray<RandomModel>, judged: ReadonlyArray<Verdicts>): boolean =>
  models.length > 0 &&
  judged.length === models.length &&
  judged.every(({ verdicts }) => Object.values(verdicts).every(({ passed }) => passed))

/** One line per judge, then what the models contain, then each failure with its circuit. */
export const lines = (models: ReadonlyArray<RandomModel>, judged: ReadonlyArray<Verdicts>): ReadonlyArray<string> => {
  const judges = Object.keys(judged[0]?.verdicts ?? {})
  const table = judges.map((judge) => {
    const own = judged.map(({ verdicts }) => verdicts[judge]!)
    const passed = own.filter((verdict) => verdict.passed).length
    const differences = own.flatMap(({ difference }) => (difference === undefined ? [] : [difference]))
    const largest = differences.length === 0 ? "" : Math.max(...differences).toExponential(1)
    return `${judge.padEnd(24)} ${cell(passed)} ${cell(own.length - passed)} ${largest.padStart(20)}`
  })
  const failures = judged.flatMap(({ name, verdicts }) =>
    Object.entries(verdicts)
      .filter(([, { passed }]) => !passed)
      .map(([judge, { reason }]) => {
        const model = models.find((of) => of.name === name)!
        return `failed ${name}, ${judge}: ${reason}\n  ${describe(model)}`
      })
  )
  return [
    `${"judge".padEnd(24)} ${cell("passed")} ${cell("failed")} ${"largest difference".padStart(20)}`,
    ...table,
    ...covered(models),
    ...failures
  ]
}

const cell = (of: number | string): string => String(of).padStart(7)

/** Describes a model, for debugging. */
export const describe = ({ options, trained }: RandomModel): string =>
  `${Circuit.print(trained.circuit)}; ${trained.task}${trained.preprocessing ? ", preprocessed" : ""}, ${JSON.stringify(options)}`

/** The kinds of blocks in a circuit, including those that contain others. */
export const kinds = (circuit: Circuit.Circuit): ReadonlySet<string> => {
  switch (circuit._tag) {
    case "Block":
      return new Set([circuit.kind])
    case "Sequence":
    case "Branch":
      return new Set([circuit._tag.toLowerCase(), ...circuit.children.flatMap((child) => [...kinds(child)])])
    case "Repeat":
    case "Residual":
      return new Set([circuit._tag.toLowerCase(), ...kinds(circuit.child)])
  }
}

/** Every kind of block, and every way to combine blocks. */
export const all: ReadonlyArray<string> = [...CircuitSpec.kinds, "sequence", "branch", "repeat", "residual"]

const covered = (models: ReadonlyArray<RandomModel>): ReadonlyArray<string> => {
  const count = (of: (model: RandomModel) => Iterable<string>): string => {
    const found = Map.groupBy(
      models.flatMap((model) => [...of(model)]),
      (key) => key
    )
    return [...found].map(([key, { length }]) => `${key} ${length}`).join(", ")
  }
  const missing = all.filter((kind) => !models.some(({ trained }) => kinds(trained.circuit).has(kind)))
  return [
    `models with blocks: ${count(({ trained }) => kinds(trained.circuit))}`,
    ...(missing.length === 0 ? [] : [`no model has: ${missing.join(", ")}`]),
    `operator sets: ${count(({ options }) => [String(options.opset)])}`,
    `tasks: ${count(({ trained }) => [trained.task])}`,
    `of these ${count(({ options, trained }) => [
      ...(trained.preprocessing ? ["with preprocessing"] : []),
      ...(options.weights ? ["with float16 weights"] : []),
      ...(options.expose ? ["with an activation exposed"] : [])
    ])}`
  ]
}
