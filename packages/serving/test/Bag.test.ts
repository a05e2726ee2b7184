import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Bag from "../src/Bag.ts"

it("holds what a set would, whatever comes and goes", () => {
  const step = fc.record({ index: fc.nat(9), adds: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const items = Array.from({ length: 10 }, (): Bag.Item => ({ place: Bag.nowhere }))
      const bag: Array<Bag.Item> = []
      const set = new Set<Bag.Item>()
      for (const { adds, index } of steps) {
        const item = items[index]!
        if (adds) {
          Bag.add(bag, item)
          set.add(item)
        } else assert.strictEqual(Bag.remove(bag, item), set.delete(item))
        assert.strictEqual(bag.length, set.size)
        for (const each of items) assert.strictEqual(Bag.has(bag, each), set.has(each))
      }
    })
  )
})
