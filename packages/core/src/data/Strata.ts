/**
 * Stratified splits: examples held out, in equal proportion from each class.
 */
import { Effect } from "effect"
import { stream } from "../random/Pseudorandom.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Names from "./Names.ts"
import * as Targets from "./Targets.ts"

/** Options for dividing examples in two. */
export interface Options {
  /** Fraction held out, between 0 and 1. */
  readonly share: number
  /** The seed of the draw, 0 by default. */
  readonly seed?: number
  /** Name of the split in errors, `split` by default; for instance `validation` where training data are split again. */
  readonly source?: string
}

/** Options for dividing examples in three. */
export interface Shares {
  /** Fraction of all examples used for selecting parameters. */
  readonly validation: number
  /** Fraction of all examples used for the final evaluation. */
  readonly test: number
  /** The seed of the draw, 0 by default. */
  readonly seed?: number
}

/** Training examples, and test examples that training never sees. */
export interface Two<A> {
  readonly train: A
  readonly test: A
}

/** Examples for training, for selection and for evaluation. */
export interface Three<A> extends Two<A> {
  readonly validation: A
}

type Select<A> = (data: A, indices: ReadonlyArray<number>) => A

/** Holds out round(share · n_c) examples of each class c, at least one and not all; both parts keep the original order. */
export const two = Effect.fn("Strata")(function* <A extends Targets.Targets>(
  data: A,
  { share, seed = 0, source = "split" }: Options,
  select: Select<A>
) {
  if (!(share > 0 && share < 1)) {
    const expected = "a share of the examples between 0 and 1"
    const advice = "give for instance 0.2"
    return yield* new DataInvalid({ source, setting: "share", expected, came: `${share} came`, advice })
  }
  const found = Targets.labels(data)
  const strata = Map.groupBy(found.keys(), (i) => found[i]!)
  const random = stream(seed, "split")
  const aside = new Set<number>()
  for (const [label, members] of [...strata].sort(([a], [b]) => a - b)) {
    if (members.length < 2) {
      const expected =
        data.task === "regression"
          ? "at least two examples"
          : `at least two examples of class ${quote(data.classNames?.[label] ?? String(label))}`
      const advice = `add examples, or leave this one out${Names.orValues(data.classNames ?? [])}`
      return yield* new DataInvalid({ source, expected, came: "only one came", advice })
    }
    const count = Math.min(members.length - 1, Math.max(1, Math.round(share * members.length)))
    for (const i of random.permutation(members.length).slice(0, count)) aside.add(members[i]!)
  }
  const [train, test]: [Array<number>, Array<number>] = [[], []]
  for (let i = 0; i < found.length; i++) (aside.has(i) ? test : train).push(i)
  const parts: Two<A> = { train: select(data, train), test: select(data, test) }
  return parts
})

/** Holds out test examples as `two` does, then validation examples from the rest. */
export const three = Effect.fn("Strata")(function* <A extends Targets.Targets>(
  data: A,
  { seed = 0, test, validation }: Shares,
  select: Select<A>
) {
  if (!(validation > 0 && test > 0 && validation + test < 1)) {
    const expected = "shares of the examples for validation and test, above 0 and below 1 together"
    const came = `${validation} and ${test} came`
    return yield* new DataInvalid({ source: "split", expected, came, advice: "give for instance 0.2 and 0.2" })
  }
  const outer = yield* two(data, { share: test, seed }, select)
  const inner = yield* two(outer.train, { share: validation / (1 - test), seed, source: "validation" }, select)
  const parts: Three<A> = { train: inner.train, validation: inner.test, test: outer.test }
  return parts
})
