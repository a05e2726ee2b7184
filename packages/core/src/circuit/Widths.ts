/**
 * What the compiler knows of the widths, per example, that go into a block and come out of it. Widths exist in types alone, so that a mismatch shows
 * while the code is written; those known only at run time have type `number` and are checked then.
 */
declare const widths: unique symbol

/** Takes `In` numbers per example and gives `Out`; `unknown` where the width is not stated. */
export interface Widths<In = unknown, Out = unknown> {
  readonly [widths]?: readonly [takes: In, gives: Out]
}

/** Marks an output as wide as the input. */
export type Kept = "as many as came"

/** Replaces a block that takes a different width than it is given. */
export interface Misfit<Came, Taken> {
  readonly come: Came
  readonly taken: Taken
}

type Of<T> = typeof widths extends keyof T ? Exclude<T[typeof widths], undefined> : undefined

type In<T> = Of<T> extends readonly [infer N, unknown] ? N : unknown

/** The output width for an input of width W. */
type Out<T, W> = Of<T> extends readonly [unknown, infer N] ? (N extends Kept ? W : N) : unknown

/** Whether both are literal numbers, and different. */
type Differ<A, B> = A extends number
  ? B extends number
    ? number extends A | B
      ? false
      : A extends B
        ? false
        : true
    : false
  : false

/** Blocks in sequence, with any that do not fit replaced by a `Misfit`; the accumulator `Done` lets the recursion handle hundreds of blocks. */
export type Fitting<
  T extends ReadonlyArray<unknown>,
  W = unknown,
  Done extends ReadonlyArray<unknown> = readonly []
> = T extends readonly [infer Head, ...infer Rest]
  ? Fitting<Rest, Out<Head, W>, readonly [...Done, Differ<W, In<Head>> extends true ? Misfit<W, In<Head>> : Head]>
  : readonly [...Done, ...T]

/** The block itself, or a `Misfit` where its output does not fit its input. */
export type Even<T> = Differ<In<T>, Out<T, In<T>>> extends true ? Misfit<Out<T, In<T>>, In<T>> : T

/** The input width of blocks in sequence, where it is known. */
export type Takes<T extends ReadonlyArray<unknown>> = T extends readonly [infer Head, ...infer Rest]
  ? Out<Head, Kept> extends Kept
    ? Takes<Rest>
    : In<Head>
  : unknown

/** Their output width for an input of width W. */
export type Gives<T extends ReadonlyArray<unknown>, W = unknown> = T extends readonly [infer Head, ...infer Rest]
  ? Gives<Rest, Out<Head, W>>
  : number extends T["length"]
    ? unknown
    : W

/** The input and output widths of a perceptron with these layer widths. */
export type OfLayers<T extends ReadonlyArray<unknown>> = T extends readonly [infer In, ...infer _, infer Out]
  ? Widths<In, Out>
  : Widths
