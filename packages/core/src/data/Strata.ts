/**
 * Examples kept aside, of each class alike.
 */
import { Effect } from "effect"
import { stream } from "../random/Pseudorandom.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Names from "./Names.ts"
import * as Targets from "./Targets.ts"

/** How examples are divided in two. */
export interface Options {
  /** The share kept aside, between 0 and 1. */
  readonly share: number
  /** The seed of the draw, 0 by default. */
  readonly seed?: number
  /** What an error calls the division, `split` by default; `validation`, for instance, where training data are divided again. */
  readonly source?: string
}

/** How examples are divided in three. */
export interface Shares {
  /** The share of all examples that decides between parameters. */
  readonly validation: number
  /** The share of all examples that judges the outcome. */
  readonly test: number
  /** The seed of the draw, 0 by default. */
  readonly seed?: number
}

/** Examples and the part of them that training never sees. */
export interface Two<A> {
  readonly train: A
  readonly test: A
}

/** Examples for training, for choosing and for judging. */
export interface Three<A> extends Two<A> {
  readonly validation: A
}

type Select<A> = (data: A, indices: ReadonlyArray<number>) => A

/** Keeps round(share · n_c) examples of each class c aside, at least one and not all; both parts in the order of the whole. */
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

/** Keeps test examples aside as `two` does, then validation examples of what is left. */
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
