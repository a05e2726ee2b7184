import { assert, describe, it } from "@effect/vitest"
import { Pseudorandom } from "@rai/core"
import * as Early from "../src/Early.ts"
import type * as Range from "../src/Range.ts"

const none: ReadonlyArray<Early.Touched> = [{ reads: [], writes: [] }]

const pass = { size: 512, read: [1024], numbers: [8], written: [4096] }

const total = (shares: ReturnType<typeof Early.make>) =>
  shares.flatMap(({ early, late }) => [...early.flat(), ...late]).toSorted(([a], [b]) => a - b)

describe("the early part of a pass", () => {
  it("is all of it where threads give nothing to each other", () => {
    assert.deepStrictEqual(Early.make(pass, [none, none], []), [
      { early: [[[0, 256]]], late: [] },
      { early: [[[256, 512]]], late: [] }
    ])
  })

  it("ends where the thread's own results do", () => {
    const graphs = [[{ reads: [], writes: [[1024, 1216]] }], [{ reads: [], writes: [[1216, 1536]] }]] as const
    assert.deepStrictEqual(Early.make(pass, graphs, []), [
      { early: [[[0, 192]]], late: [] },
      { early: [[[192, 512]]], late: [] }
    ])
  })

  it("leaves what another thread still reads, where the pass would write it, and what another thread gives", () => {
    const graphs = [
      [{ reads: [], writes: [[1024, 1216]] }],
      [{ reads: [[4096, 4200]], writes: [[1216, 1536]] }]
    ] as const
    assert.deepStrictEqual(Early.make(pass, graphs, [])[0], { early: [[[128, 192]]], late: [[0, 128]] })
    const late = [graphs[0], [{ reads: [], writes: [[1200, 1536]] }]] as const
    assert.deepStrictEqual(Early.make(pass, late, []), [
      { early: [[[0, 128]]], late: [] },
      { early: [[[192, 512]]], late: [[128, 192]] }
    ])
  })

  it("is nothing where a number is gathered first or another thread's", () => {
    const one = { kind: "float32", shape: [1], address: 8 } as const
    const moved = { from: { ...one, address: 9000 }, to: one }
    for (const shares of [
      Early.make(pass, [none, none], [moved]),
      Early.make(pass, [[{ reads: [], writes: [[8, 12]] }], none], [])
    ]) {
      assert.deepStrictEqual(shares[1], { early: [[]], late: [[256, 512]] })
    }
  })

  it("lies behind the last graph of its own that gives what it reads, or reads what it writes", () => {
    const graphs = [
      [
        { reads: [[4096, 4352]], writes: [[1024, 1280]] },
        { reads: [[4288, 4480]], writes: [[1280, 1408]] },
        { reads: [], writes: [[1408, 1536]] }
      ]
    ] as const
    assert.deepStrictEqual(Early.make(pass, graphs, []), [
      { early: [[[0, 192]], [[192, 384]], [[384, 512]]], late: [] }
    ])
    const number = [[...graphs[0], { reads: [], writes: [[8, 12]] }]] as const
    assert.deepStrictEqual(Early.make(pass, number, []), [{ early: [[], [], [], [[0, 512]]], late: [] }])
  })

  it("touches nothing of the other threads' or of later graphs, random ones, and together with the late part it is all", () => {
    const random = Pseudorandom.make(3)
    const within = (n: number) => Math.floor(random.uniform(0, n))
    const range = (): Range.Range => {
      const from = 4 * within(2000)
      return [from, from + 4 * (1 + within(200))]
    }
    for (let i = 0; i < 300; i++) {
      const graphs = [0, 1, 2].map(() =>
        Array.from({ length: within(4) }, () => ({ reads: [range(), range()], writes: [range(), range()] }))
      )
      const own = {
        size: 64 * (1 + within(40)),
        read: [64 * within(100), 64 * within(100)],
        numbers: [],
        written: [64 * within(100)]
      }
      const shares = Early.make(own, graphs, [])
      let end = 0
      for (const [from, to] of total(shares)) {
        assert.strictEqual(from, end)
        end = to
      }
      assert.strictEqual(end, own.size)
      shares.forEach(({ early }, thread) => {
        const others = graphs.filter((_, other) => other !== thread).flat()
        early.forEach((stretches, graph) => {
          for (const [from, to] of stretches) {
            const meets = (address: number, [a, b]: Range.Range) => address + from < b && a < address + to
            for (const { reads, writes } of [...others, ...graphs[thread]!.slice(graph + 1)]) {
              assert.isFalse([...own.read, ...own.written].some((at) => writes.some((other) => meets(at, other))))
              assert.isFalse(own.written.some((at) => reads.some((other) => meets(at, other))))
            }
          }
        })
      })
    }
  })
})
