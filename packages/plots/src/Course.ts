/**
 * The course of a run, that is the rows of its history, as its figures take them.
 *
 * ```ts
 * import { Circuit, History, Moons, Plan, ReferenceEngine, Training } from "@rai/core"
 * import { Course, Loss } from "@rai/plots"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const data = yield* Moons.make({ examples: 20, seed: 1 })
 *   const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 *   const plan = Plan.relax({ steps: 20 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 20 })))
 *   const rows = History.of(yield* Stream.runCollect(Training.stream(circuit, data, { plan })))
 *   return yield* Loss.svg(Course.loss(rows))
 * })
 * const svg = await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
 * console.log(svg.includes("backpropagate")) // => true
 * ```
 */
import { History } from "@rai/core"
import type * as Gradients from "./Gradients.ts"
import type * as Loss from "./Loss.ts"
import type { Phase } from "./Phase.ts"
import type * as Residuals from "./Residuals.ts"

type Rows = ReadonlyArray<History.Row>

const orNaN = (value: number | null | undefined): number => value ?? Number.NaN

/** The step of the whole run at which each phase begins. Each measures first before its own first step, where the phase before it ended. */
export const phases = (rows: Rows): ReadonlyArray<Phase> =>
  rows.filter(({ step }, i) => i === 0 || step === 0).map(({ phase, total }) => ({ name: phase, start: total }))

/** The losses, for `Loss.svg`. */
export const loss = (rows: Rows): Loss.Settings => ({
  measurements: rows.map((row) => ({ ...History.numbers(row), step: row.total })),
  phases: phases(rows)
})

/** The residuals, for `Residuals.svg`: of the last cut used where a plan relaxes with different cuts; none where it does not relax. */
export const residuals = (rows: Rows): Residuals.Settings => {
  const cuts = rows.findLast((row) => row.residuals.length > 0)?.residuals.length ?? 0
  const isShown = (row: History.Row): boolean => cuts > 0 && row.residuals.length === cuts
  const shown = rows.slice(rows.findIndex(isShown), rows.findLastIndex(isShown) + 1)
  return {
    steps: shown.map(({ total }) => total),
    cuts,
    residual: shown.flatMap((row) =>
      isShown(row) ? row.residuals.map(orNaN) : Array.from({ length: cuts }, () => undefined)
    ),
    phases: phases(rows)
  }
}

/** The gradient norms, for `Gradients.svg`. */
export const gradients = (rows: Rows): Gradients.Settings => ({
  steps: rows.map(({ total }) => total),
  stages: rows[0]?.gradientNorms.length ?? 0,
  norms: rows.flatMap((row) => row.gradientNorms.map(orNaN)),
  phases: phases(rows)
})
