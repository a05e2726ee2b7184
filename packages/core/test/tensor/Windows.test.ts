import { assert, it } from "@effect/vitest"
import { Engine, NdArray, Program, ReferenceEngine, Windows } from "@rai/core"
import { Effect, Schema } from "effect"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const settings = {
  length: between(4, 9),
  kernel: between(1, 3),
  dilation: between(1, 2),
  stride: between(1, 4),
  before: between(0, 2),
  after: between(0, 2),
  value: Schema.Literals([0, -1])
}

it.effect.prop("each place of each window holds the element that lies there, or the padding", settings, (drawn) =>
  Effect.gen(function* () {
    const { length, value, ...window } = drawn
    const along = Windows.along(length, window)
    if (along.count < 1) return
    const x = NdArray.make(
      [1, 1, length],
      Array.from({ length }, (_, i) => i + 1)
    )
    const program = yield* Program.make({ x: ["batch", 1, length] }, (given) =>
      Object.fromEntries(Windows.places(given.x, [along], value).map((place, k) => [`place ${k}`, place]))
    )
    const came = yield* Engine.run(program, { x })
    const { after, before, dilation, kernel, stride } = window
    // Every window that fits is there, and no other.
    const padded = [...Array(before).fill(value), ...x.data, ...Array(after).fill(value)]
    const starts = [...padded.keys()].filter((i) => i % stride === 0 && i + (kernel - 1) * dilation < padded.length)
    const expected = starts.map((start) => Array.from({ length: kernel }, (_, k) => padded[start + k * dilation]))
    assert.deepStrictEqual(
      Array.from({ length: along.count }, (_, i) =>
        Array.from({ length: kernel }, (_, k) => came[`place ${k}`]!.data[i])
      ),
      expected
    )
  }).pipe(Effect.provide(ReferenceEngine.layer))
)
