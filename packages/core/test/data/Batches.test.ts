import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as FastCheck from "fast-check"
import * as Batches from "../../src/data/Batches.ts"
import * as NdArray from "../../src/tensor/NdArray.ts"

describe("count", () => {
  it.effect("whole batches alone", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Batches.count(1437, 64), 22)
      assert.strictEqual(yield* Batches.count(64, 64), 1)
      assert.strictEqual(yield* Batches.count(3, 1), 3)
    })
  )

  const bad: ReadonlyArray<readonly [size: number, message: string]> = [
    [
      101,
      "batches, setting «size»: expected a whole number of examples from 1 to 100, all that there are, but 101 came; give a smaller batch, or none to train on all at once"
    ],
    [
      0,
      "batches, setting «size»: expected a whole number of examples from 1 to 100, all that there are, but 0 came; give for instance 64"
    ],
    [
      2.5,
      "batches, setting «size»: expected a whole number of examples from 1 to 100, all that there are, but 2.5 came; give for instance 64"
    ],
    [
      Number.NaN,
      "batches, setting «size»: expected a whole number of examples from 1 to 100, all that there are, but NaN came; give for instance 64"
    ]
  ]
  for (const [size, message] of bad) {
    it.effect(`refuses a size of ${size}`, () =>
      Effect.map(Effect.flip(Batches.count(100, size)), (error) => assert.strictEqual(error.message, message))
    )
  }
})

describe("indices", () => {
  const settings = FastCheck.record({
    examples: FastCheck.integer({ min: 1, max: 300 }),
    size: FastCheck.integer({ min: 1, max: 64 }),
    seed: FastCheck.nat(),
    epoch: FastCheck.nat({ max: 1000 })
  })

  it("whole batches, each example at most once, the same for the same seed and epoch", () => {
    FastCheck.assert(
      FastCheck.property(settings, ({ examples, size, seed, epoch }) => {
        const batches = Batches.indices(examples, size, seed, epoch)
        assert.strictEqual(batches.length, Math.floor(examples / size))
        for (const batch of batches) assert.strictEqual(batch.length, size)
        const all = batches.flatMap((batch) => [...batch])
        assert.strictEqual(new Set(all).size, all.length)
        assert.isTrue(all.every((i) => i >= 0 && i < examples))
        assert.deepStrictEqual(Batches.indices(examples, size, seed, epoch), batches)
      })
    )
  })

  it("another order for another epoch or seed", () => {
    const first = Batches.indices(100, 10, 7, 0)
    assert.notDeepEqual(Batches.indices(100, 10, 7, 1), first)
    assert.notDeepEqual(Batches.indices(100, 10, 8, 0), first)
  })

  it("every example equally often: counts of 2,000 epochs that leave 5 of 21 out stay within 5 deviations", () => {
    const epochs = 2000
    const counts = new Float64Array(21)
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const batch of Batches.indices(21, 8, 3, epoch)) for (const i of batch) counts[i]!++
    }
    const p = 16 / 21
    const deviation = Math.sqrt(epochs * p * (1 - p))
    for (const count of counts) assert.isAtMost(Math.abs(count - epochs * p), 5 * deviation)
  })
})

const kinds = [Float32Array, Float64Array, Int32Array, Uint8Array]

/** A random array, and distinct indices along one of its axes. */
const gathers = FastCheck.record({
  shape: FastCheck.array(FastCheck.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
  kind: FastCheck.constantFrom(...kinds),
  axis: FastCheck.constantFrom<0 | 1>(0, 1)
})
  .filter(({ shape, axis }) => axis < shape.length)
  .chain(({ shape, kind, axis }) =>
    FastCheck.record({
      array: FastCheck.constant({ shape, data: kind.from(Array(NdArray.size(shape)).keys()) }),
      axis: FastCheck.constant(axis),
      indices: FastCheck.shuffledSubarray(Array.from({ length: shape[axis]! }, (_, i) => i))
    })
  )

/** Returns the element at a position by the definition of row-major order. */
const at = ({ shape, data }: NdArray.NdArray, position: ReadonlyArray<number>) =>
  data[position.reduce((offset, p, axis) => offset * shape[axis]! + p, 0)]

const positions = (shape: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  shape.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (found, n) => found.flatMap((position) => Array.from({ length: n }, (_, i) => [...position, i])),
    [[]]
  )

describe("rows and scatter", () => {
  it("take what the indices say, in their order, the kind kept", () => {
    FastCheck.assert(
      FastCheck.property(gathers, ({ array, axis, indices }) => {
        const taken = Batches.rows(array, Int32Array.from(indices), axis)
        assert.deepStrictEqual(taken.shape, array.shape.with(axis, indices.length))
        assert.strictEqual(taken.data.length, NdArray.size(taken.shape))
        assert.strictEqual(Object.getPrototypeOf(taken.data), Object.getPrototypeOf(array.data))
        for (const position of positions(taken.shape)) {
          const origin = position.with(axis, indices[position[axis]!]!)
          assert.strictEqual(at(taken, position), at(array, origin))
        }
      })
    )
  })

  it("put back what was taken, and nothing else", () => {
    FastCheck.assert(
      FastCheck.property(gathers, ({ array, axis, indices }) => {
        const into = { shape: array.shape, data: array.data.slice().fill(255) }
        Batches.scatter(into, indices, Batches.rows(array, indices, axis), axis)
        for (const position of positions(array.shape)) {
          const expected = indices.includes(position[axis]!) ? at(array, position) : 255
          assert.strictEqual(at(into, position), expected)
        }
      })
    )
  })

  it("take an index twice, and keep the later of two put back", () => {
    const array = NdArray.make([2, 1], [5, 6])
    assert.deepStrictEqual([...Batches.rows(array, [1, 1, 0]).data], [6, 6, 5])
    Batches.scatter(array, [0, 0], NdArray.make([2, 1], [7, 8]))
    assert.deepStrictEqual([...array.data], [8, 6])
  })

  it("nothing for no indices", () => {
    assert.deepStrictEqual(Batches.rows(NdArray.full([3, 2], 1), []).shape, [0, 2])
  })
})
