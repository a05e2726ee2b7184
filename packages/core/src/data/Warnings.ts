/**
 * Warnings about data that can be trained on, but look suspicious.
 */
import { listed, quote } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"
import { farFromOne } from "./Moments.ts"
import type { Preprocessing } from "./Preprocessing.ts"
import * as Repeats from "./Repeats.ts"

/** One warning: `message` says on one line what was found and what helps. */
export interface Warning {
  readonly about: "repeats" | "conflicts" | "constant" | "scale" | "offset" | "target" | "classes"
  readonly message: string
}

/** Repeats are reported from this fraction of the examples on. */
const repeatsShare = 0.01

/** Columns whose deviations and ranges differ by more than this factor count as differently scaled. */
const scaleRatio = 100

/** A column whose mean is more than this many deviations from zero loses most of its digits in float32, which exported models take. */
const offsetRatio = 1e5

/** A class is rare below this fraction or, with many classes, below half of an equal share. */
const rareShare = 0.05

/**
 * Returns what to know about a data set before training on it: points that occur many times or with different targets, constant columns, columns of
 * very different scale or far from 1, targets far from zero, rare or absent classes; empty if there is nothing.
 *
 * ```ts
 * import { Dataset, NdArray, Warnings } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Dataset.labelled({
 *   inputs: NdArray.make([2, 2], [1, 7, 2, 7]),
 *   labels: [0, 1],
 *   inputNames: ["a", "b"],
 *   classNames: ["no", "yes"]
 * }))
 * Warnings.of(data).map((warning) => warning.message)
 * // => ["the column «b» holds one value alone, from which nothing can be learned: remove it"]
 * ```
 */
export const of = (data: Dataset.Dataset): ReadonlyArray<Warning> => [
  ...repeats(data),
  ...columns(data),
  ...(data.task === "regression" ? values(data) : classes(data))
]

/**
 * Warns of columns that a model standardises, and so takes as they are, in float32, where they are too far from zero for it. A column that holds one
 * value has no deviation, and 1 as its scale.
 */
export const ofPreprocessing = (preprocessing: Preprocessing): ReadonlyArray<Warning> =>
  offset(standardised(preprocessing).filter(({ deviation }) => deviation !== 1))

const repeats = (data: Dataset.Dataset): ReadonlyArray<Warning> => {
  const examples = Dataset.examples(data)
  const found = Repeats.of(data)
  const warnings: Array<Warning> = []
  if (found.repeats >= repeatsShare * examples) {
    const seen = `${count(found.repeats, "example")} of ${examples} ${found.repeats === 1 ? "repeats" : "repeat"} the inputs of an earlier one`
    const advice = "remove copies, which weigh in the loss and, on both sides of a split, flatter the test"
    warnings.push({ about: "repeats", message: `${seen} (one point comes ${found.most} times): ${advice}` })
  }
  if (found.conflicts > 0) {
    const [kind, bound] =
      data.task === "regression"
        ? ["targets", `no mean squared error below ${Number(found.best.toPrecision(3))} can be reached`]
        : ["classes", `no accuracy above ${percent(found.best)} can be reached`]
    const seen = `${count(found.conflicts, "point")} ${found.conflicts === 1 ? "comes" : "come"} with different ${kind}`
    const advice = "correct them, or add a column that tells them apart"
    warnings.push({ about: "conflicts", message: `${seen}, so that ${bound}: ${advice}` })
  }
  return warnings
}

interface Column {
  readonly name: string
  readonly mean: number
  readonly deviation: number
  readonly range: number
}

const columns = (data: Dataset.Dataset): ReadonlyArray<Warning> => {
  if (Dataset.examples(data) < 2) return []
  const all = data.inputNames.map((name, i) => column(data.inputs, name, i))
  const constant = all.filter(({ range }) => range === 0)
  const varied = all.filter(({ range }) => range > 0).sort((a, b) => a.deviation - b.deviation)
  const warnings: Array<Warning> = []
  // An image's border may always be dark and cannot be left out.
  const isImage = data.inputNames.every((name, i) => name === `p${i}`)
  if (constant.length > 0 && !isImage) {
    const names = listed(constant.map(({ name }) => name))
    const message =
      constant.length === 1
        ? `the column ${names} holds one value alone, from which nothing can be learned: remove it`
        : `the columns ${names} hold one value each, from which nothing can be learned: remove them`
    warnings.push({ about: "constant", message })
  }
  const [narrowest, widest] = [varied[0], varied.at(-1)]
  // The range must differ too: a nearly always dark pixel has a small deviation but the same scale as the others.
  if (
    narrowest &&
    widest &&
    widest.deviation > scaleRatio * narrowest.deviation &&
    widest.range > scaleRatio * narrowest.range
  ) {
    const seen = `the standard deviation of ${quote(widest.name)} is ${Number((widest.deviation / narrowest.deviation).toPrecision(2))} times that of ${quote(narrowest.name)}`
    const advice = "standardise the columns, each to mean 0 and deviation 1"
    warnings.push({ about: "scale", message: `${seen}, which hides the smaller from a circuit: ${advice}` })
  } else if (narrowest && widest && (narrowest.deviation > farFromOne || widest.deviation < 1 / farFromOne)) {
    const [one, is] = narrowest.deviation > farFromOne ? [narrowest, "the smallest"] : [widest, "the largest"]
    const seen = `the standard deviation of ${quote(one.name)}, ${is}, is ${Number(one.deviation.toPrecision(2))}`
    const advice = "standardise the columns, each to mean 0 and deviation 1"
    warnings.push({ about: "scale", message: `${seen}, while circuits begin with numbers around 1: ${advice}` })
  }
  const raw = (data.preprocessing === undefined ? [] : standardised(data.preprocessing)).filter((column) =>
    varied.some(({ name }) => name === column.name)
  )
  return [...warnings, ...offset([...varied, ...raw])]
}

type Placed = Pick<Column, "name" | "mean" | "deviation">

const isFar = ({ deviation, mean }: Placed) => Math.abs(mean) > offsetRatio * deviation

const offset = (columns: ReadonlyArray<Placed>): ReadonlyArray<Warning> => {
  const far = columns.filter(isFar).map(({ name }) => name)
  if (far.length === 0) return []
  const seen = `of ${listed(far)} the numbers differ by less than a ${offsetRatio.toLocaleString("en-US")}th of their size`
  const advice = "subtract what they have in common in the file itself"
  return [{ about: "offset", message: `${seen}, of which float32 and so an exported model keep little: ${advice}` }]
}

/** The original numbers of standardised columns. */
const standardised = ({ columns }: Preprocessing): ReadonlyArray<Placed> =>
  columns.flatMap((column) =>
    column._tag === "Number" ? [{ name: column.name, mean: column.mean, deviation: column.scale }] : []
  )

const column = ({ shape, data }: Dataset.Dataset["inputs"], name: string, at: number): Column => {
  const [examples = 0, features = 0] = shape
  let [minimum, maximum, sum, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (let i = at; i < data.length; i += features) {
    minimum = Math.min(minimum, data[i]!)
    maximum = Math.max(maximum, data[i]!)
    sum += data[i]!
  }
  const mean = sum / examples
  for (let i = at; i < data.length; i += features) squares += (data[i]! - mean) ** 2
  return { name, mean, deviation: Math.sqrt(squares / examples), range: maximum - minimum }
}

const classes = (data: Dataset.Dataset): ReadonlyArray<Warning> => {
  const width = data.task === "binary" ? 2 : Dataset.outputs(data)
  const named = Array.from({ length: width }, (_, i) => ({ name: data.classNames?.[i] ?? String(i), examples: 0 }))
  for (const label of Dataset.labels(data)) named[label]!.examples++
  const warn = (message: string): ReadonlyArray<Warning> => [{ about: "classes", message }]
  const present = named.filter(({ examples }) => examples > 0).sort((a, b) => a.examples - b.examples)
  const [rarest, commonest] = [present[0]!, present.at(-1)!]
  if (present.length === 1) {
    return warn(
      `every example is of class ${quote(commonest.name)}, so that nothing is told apart: add examples of another`
    )
  }
  const absent = named.filter(({ examples }) => examples === 0)
  if (absent.length > 0) {
    const names = listed(absent.map(({ name }) => name))
    return warn(`no example is of class ${names}, which will never be answered: add examples, or leave the class out`)
  }
  const share = rarest.examples / Dataset.examples(data)
  if (share >= Math.min(rareShare, 0.5 / width)) return []
  const seen = `only ${rarest.examples} of ${Dataset.examples(data)} examples ${rarest.examples === 1 ? "is" : "are"} of class ${quote(rarest.name)}`
  const always = `always answering ${quote(commonest.name)} is right for ${percent(commonest.examples / Dataset.examples(data))}`
  return warn(`${seen}, and ${always}: judge by more than the accuracy, and add examples of the rare class`)
}

const values = ({ targets }: Dataset.Dataset): ReadonlyArray<Warning> => {
  const width = targets.shape[1]!
  if (targets.data.every((value, i) => value === targets.data[i % width])) {
    const target = targets.data.slice(0, width).join(", ")
    const message = `every target is ${target}, so that nothing is learned: add examples with others`
    return [{ about: "target", message }]
  }
  const all = Array.from({ length: width }, (_, i) => column(targets, `target ${i + 1}`, i))
  const constant = all.flatMap(({ name, range }, i) => (range > 0 ? [] : `${name} is always ${targets.data[i]}`))
  const warnings: Array<Warning> = []
  if (constant.length > 0) {
    const [it, its] = constant.length === 1 ? ["it", "its"] : ["them", "their"]
    const more = constant.length > 5 ? ` and ${constant.length - 5} more likewise` : ""
    const message = `${constant.slice(0, 5).join(", ")}${more}, from which nothing is learned, and ${its} R² weighs in the mean of all: leave ${it} out`
    warnings.push({ about: "target", message })
  }
  const far = all.filter((target) => target.range > 0 && isFar(target)).map(({ name }) => name)
  if (far.length === 0) return warnings
  const seen = `of ${far.join(", ")} the numbers differ by less than a ${offsetRatio.toLocaleString("en-US")}th of their size`
  const advice = "subtract what they have in common, and add it to what is predicted"
  return [...warnings, { about: "target", message: `${seen}, of which float32 keeps little: ${advice}` }]
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

// Rounded down, so that 100 % always means all.
const percent = (share: number): string => `${Math.floor(10_000 * share + 1e-6) / 100} %`
