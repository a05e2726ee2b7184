/**
 * Why a run fails, in words: what its measurements show and what to try.
 */
import { Data, Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Dataset } from "../data/Dataset.ts"
import * as Warnings from "../data/Warnings.ts"
import { type Arrays, Engine, type EngineFailed } from "../engine/Engine.ts"
import * as Program from "../program/Program.ts"
import { evaluate } from "../relaxation/Evaluation.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { stack, type Tensor } from "../tensor/Tensor.ts"
import { either } from "./Alternatives.ts"
import * as Measurement from "./Measurement.ts"
import type * as Start from "./Start.ts"
import * as TargetUnit from "./TargetUnit.ts"

/** One problem found, with advice. */
export class Finding extends Data.Class<{
  readonly kind:
    | "gradients vanish"
    | "gradients explode"
    | "gap grows"
    | "auxiliaries drift"
    | "dead units"
    | "saturated units"
    | "output ignores input"
    | "memorised"
  /** What was observed, with its value and place. */
  readonly seen: string
  readonly advice: string
}> {
  /** Kind, observation and advice on one line. */
  get message(): string {
    return `${this.kind}: ${this.seen}; ${this.advice}`
  }
}

const finding = (kind: Finding["kind"], seen: string, advice: string) => new Finding({ kind, seen, advice })

/** What the run has already done, so that it is not advised again. */
export interface Done {
  readonly start?: Start.Name | undefined
  /** Whether auxiliaries were initialised by a sweep. */
  readonly isSwept?: boolean | undefined
  /** The greatest weight λ of the hidden energies. */
  readonly λ?: number | undefined
  /** Whether the weights were kept small by a penalty. */
  readonly isRegularised?: boolean | undefined
}

/** A run's last measurement and those of its relaxing phase, in order. */
export interface Shown extends Done {
  readonly last: Measurement.Measurement
  readonly relaxing: ReadonlyArray<Measurement.Measurement>
  /** What a loss of 1 stands for: for a regression the variance of its targets, or 1 where it is judged by shares of these; 1 where absent. */
  readonly unit?: number | undefined
  /** The free run's loss on test data, or the share of variance that it leaves where runs are judged by it, used where there are no validation data. */
  readonly testLoss?: number | undefined
}

const beginAt = (name: Start.Name, { start }: Done): string | false => start !== name && `begin at --start ${name}`

const sweep = ({ isSwept = false }: Done): string | false =>
  !isSwept && "relax with informed auxiliaries (the setting sweep)"

const penalty = ({ isRegularised = false }: Done, what: string): string | false =>
  !isRegularised && `${what} (l2=0.0001)`

/** Returns the findings that the measurements alone support. */
export const ofMeasurements = ({ last, relaxing, testLoss, unit = 1, ...done }: Shown): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  const { gradientNorms: norms } = last
  const largest = Math.max(...norms)
  const small = norms.findIndex((norm) => norm < 1e-7 * largest)
  if (small >= 0 && largest > 0) {
    const seen = `at stage ${small + 1} of ${norms.length} the gradient is ${show(norms[small]! / largest)} of the largest`
    // With that many cuts every map but the last is already cut.
    const isAllCut = (relaxing.at(-1)?.residuals.length ?? 0) >= norms.length - 1
    const more = relaxing.length === 0 ? "relax first (relax:250)" : "relax more maps (every=1)"
    const cuts = isAllCut ? (["relax longer", sweep(done)] as const) : [more]
    const advice = either(...cuts, beginAt("orthogonal", done))
    found.push(finding("gradients vanish", seen, advice))
  }
  if (largest > 1e3) {
    const stage = norms.indexOf(largest)
    const advice = "clip gradients (clip=1), lower the rate, or scale the data down"
    found.push(finding("gradients explode", `‖∂L/∂θ‖ is ${show(largest)} at stage ${stage + 1}`, advice))
  }
  const ending = relaxing.at(-1)
  const { freeRun: endingLoss = 0, gap, relaxed } = ending === undefined ? {} : Measurement.judged(ending)
  if (ending !== undefined && gap !== undefined && relaxed !== undefined) {
    const { residuals } = ending
    const least = relaxing
      .slice(1)
      .map((of) => Math.abs(Measurement.judged(of).gap ?? 0))
      .filter(Number.isFinite)
      .reduce((least, gap) => Math.min(least, gap), Number.POSITIVE_INFINITY)
    if (gap > 0.1 * unit && relaxed < endingLoss / 2 && gap > 2 * least) {
      const seen = `it is ${show(gap)} where it has been ${show(least)}: the relaxed circuit learns what the free one does not`
      const fewer = residuals.length > 10 && "cut fewer maps (every=10)"
      const advice = either((done.λ ?? 1) < 10 && "raise λ (lambda=10)", "refresh (refresh=50)", fewer)
      found.push(finding("gap grows", seen, advice))
    }
    const typical = median(residuals)
    const drifted = residuals.indexOf(Math.max(...residuals))
    if (residuals.length > 2 && residuals[drifted]! > 100 * typical && residuals[drifted]! > 1e-2) {
      const seen = `at cut ${drifted + 1} of ${residuals.length} mean (z − ẑ)² is ${show(residuals[drifted]!)}, elsewhere ${show(typical)}`
      found.push(
        finding("auxiliaries drift", seen, "lower the auxiliaries' rate (z-rprop=0.0001), or refresh (refresh=50)")
      )
    }
  }
  const { freeRun, validation } = Measurement.judged(last)
  const unseen = validation ?? testLoss
  if (unseen !== undefined && unseen > 0.3 * unit && unseen > 10 * freeRun) {
    const others = validation === undefined ? "test" : "validation"
    const what = last.freeRunShare === undefined ? "loss" : "mean share of the targets' variance left"
    const seen = `the ${what} is ${show(freeRun)} on training data and ${show(unseen)} on ${others} data`
    const held = validation === undefined && "hold a part of the data back to end by (--validation 0.2)"
    found.push(
      finding("memorised", seen, either(held, "add data", penalty(done, "a regulariser"), "a smaller circuit"))
    )
  }
  return found
}

const bounds: Readonly<Record<string, readonly [number, number]>> = { sigmoid: [0, 1], tanh: [-1, 1] }

const zeroing = new Set(["relu"])

/**
 * Returns findings from the free run on the inputs: relu units that are zero for every example, sigmoid and tanh units that stay within 1 % of a
 * bound, an output that is the same for every input.
 */
export const ofFreeRun = (
  circuit: Circuit.Circuit,
  parameters: Arrays,
  data: Dataset,
  done: Done = {}
): Effect.Effect<ReadonlyArray<Finding>, ShapeMismatch | EngineFailed, Engine> =>
  Effect.gen(function* () {
    const looked = Circuit.sites(circuit).filter(({ block }) => block.kind in bounds || zeroing.has(block.kind))
    const program = yield* Program.make(
      { ...Circuit.signature(circuit), x: data.inputs.shape },
      (given: Readonly<Record<string, Tensor>>) => {
        const shares = new Map<string, Tensor>()
        const output = evaluate(circuit, (name) => given[name]!, given.x!, {
          sites: new Set(looked.map(({ path }) => path)),
          onCut: (path, y) => {
            const { kind } = looked.find((site) => site.path === path)!.block
            shares.set(path, shareOf(kind, y))
            return y
          }
        })
        const all = looked.map(({ path }) => shares.get(path)!)
        return {
          highest: output.max([0]),
          lowest: output.neg().max([0]).neg(),
          ...(all.length === 0 ? {} : { shares: stack(all) })
        }
      }
    )
    const { highest, lowest, shares } = yield* Engine.use((engine) =>
      engine.run(program, { ...parameters, x: data.inputs })
    )
    const found: Array<Finding> = []
    const isUneven = Warnings.of(data).some(({ about }) => about === "scale")
    const standardise = isUneven && "standardise the columns (--standardise)"
    const dead: Array<string> = []
    const saturated: Array<string> = []
    looked.forEach(({ block }, i) => {
      const share = shares!.data[i]!
      if (share > 0.5) (zeroing.has(block.kind) ? dead : saturated).push(`${i + 1} (${Math.round(100 * share)} %)`)
    })
    if (dead.length > 0) {
      const seen = `most units of activation ${list(dead)} are 0 for every example`
      const advice = either(standardise, "lower the rate", beginAt("mirrored", done), "use leaky-relu")
      found.push(finding("dead units", seen, advice))
    }
    if (saturated.length > 0) {
      const seen = `most units of activation ${list(saturated)} stand at a bound for every example`
      const advice = either(
        standardise,
        "lower the rate",
        penalty(done, "keep weights small"),
        beginAt("orthogonal", done)
      )
      found.push(finding("saturated units", seen, advice))
    }
    const widest = widestOf(data, highest!.data, lowest!.data)
    if (widest.share <= 1e-3) {
      const seen = `whatever goes in, the output stays within ${show(widest.spread)} of ${show(widest.middle)}`
      const advice = either(standardise, sweep(done), beginAt("orthogonal", done)) || "train longer"
      found.push(finding("output ignores input", seen, advice))
    }
    return found
  })

/**
 * The output that varies most: its middle, how far it goes from there, and what share that is of the targets' deviation or, for classes, of the
 * largest logit.
 */
const widestOf = ({ targets, task }: Dataset, highest: ArrayLike<number>, lowest: ArrayLike<number>) => {
  const outputs = Array.from(highest, (high, k) => ({
    middle: (high + lowest[k]!) / 2,
    spread: (high - lowest[k]!) / 2
  }))
  const largest = Math.max(1e-3, ...outputs.map(({ middle, spread }) => Math.abs(middle) + spread))
  const scales = task === "regression" ? TargetUnit.of(targets).σ : outputs.map(() => largest)
  return outputs
    .map(({ middle, spread }, k) => ({ middle, spread, share: spread / scales[k]! }))
    .reduce((a, b) => (b.share > a.share ? b : a))
}

/** Fraction of units that are dead, or saturated, for every example: y: [examples, units] → []. */
const shareOf = (kind: string, y: Tensor): Tensor => {
  const units = y.shape.slice(1).reduce<number>((total, n) => total * Number(n), 1)
  const bound = bounds[kind]
  if (bound === undefined)
    return y
      .abs()
      .max([0])
      .equal(0)
      .float()
      .total()
      .mul(1 / units)
  const margin = 0.01 * (bound[1] - bound[0])
  const inside = y
    .greater(bound[0] + margin)
    .float()
    .mul(
      y
        .neg()
        .greater(margin - bound[1])
        .float()
    )
  return inside
    .max([0])
    .equal(0)
    .float()
    .total()
    .mul(1 / units)
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const list = (items: ReadonlyArray<string>): string =>
  items.length > 4 ? `${items.slice(0, 3).join(", ")} and ${items.length - 3} more` : items.join(", ")

const show = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e4) ? value.toExponential(1) : value.toPrecision(3)
