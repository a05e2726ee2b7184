/**
 * What the compiler knows of the numbers that go into a block for each example and come out of it. It is there in types alone, so that what does
 * not fit shows while it is written; widths that only a run decides are of the type `number`, and are held to each other then.
 */
declare const widths: unique symbol

/** What takes so many numbers an example, and gives so many; `unknown` where neither is said. */
export interface Widths<In = unknown, Out = unknown> {
  readonly [widths]?: readonly [takes: In, gives: Out]
}

/** As many as came. */
export type Kept = "as many as came"

/** Stands where a block does that takes another number than comes. */
export interface Misfit<Came, Taken> {
  readonly come: Came
  readonly taken: Taken
}

type Of<T> = typeof widths extends keyof T ? Exclude<T[typeof widths], undefined> : undefined

type In<T> = Of<T> extends readonly [infer N, unknown] ? N : unknown

/** What comes out where W went in. */
type Out<T, W> = Of<T> extends readonly [unknown, infer N] ? (N extends Kept ? W : N) : unknown

/** Whether both are single numbers, and not the same. */
type Differ<A, B> = A extends number
  ? B extends number
    ? number extends A | B
      ? false
      : A extends B
        ? false
        : true
    : false
  : false

/** Blocks one after the other, those that do not fit replaced by a `Misfit`; `Done` are those before, so that hundreds are not too deep. */
export type Fitting<
  T extends ReadonlyArray<unknown>,
  W = unknown,
  Done extends ReadonlyArray<unknown> = readonly []
> = T extends readonly [infer Head, ...infer Rest]
  ? Fitting<Rest, Out<Head, W>, readonly [...Done, Differ<W, In<Head>> extends true ? Misfit<W, In<Head>> : Head]>
  : readonly [...Done, ...T]

/** A block whose output must fit its input. */
export type Even<T> = Differ<In<T>, Out<T, In<T>>> extends true ? Misfit<Out<T, In<T>>, In<T>> : T

/** What blocks one after the other take, where it is known. */
export type Takes<T extends ReadonlyArray<unknown>> = T extends readonly [infer Head, ...infer Rest]
  ? Out<Head, Kept> extends Kept
    ? Takes<Rest>
    : In<Head>
  : unknown

/** What they give where W goes in. */
export type Gives<T extends ReadonlyArray<unknown>, W = unknown> = T extends readonly [infer Head, ...infer Rest]
  ? Gives<Rest, Out<Head, W>>
  : number extends T["length"]
    ? unknown
    : W

/** What a perceptron of these widths takes and gives. */
export type OfLayers<T extends ReadonlyArray<unknown>> = T extends readonly [infer In, ...infer _, infer Out]
  ? Widths<In, Out>
  : Widths
