import { assert, describe, it } from "@effect/vitest"
import { Pseudorandom } from "@rai/core"
import * as Early from "../src/Early.ts"
import type * as Job from "../src/Job.ts"
import * as Range from "../src/Range.ts"
import type * as Region from "../src/Region.ts"
import * as Reuse from "../src/Reuse.ts"

const word = 4

/** Two arrays of `rows` rows that threads compute in graphs, and a pass that reads the second one a row further on. */
const divided = (threads: number, graphs: number, rows: number, width: number, shift: number): Reuse.Divided => {
  const row = width * word
  const [first, second, state] = [0, 1, 2].map((i) => i * 64 * Math.ceil((rows + 1) * row)) as [number, number, number]
  const seams = Array.from({ length: threads * graphs + 1 }, (_, i) => Math.round((i * rows) / (threads * graphs)))
  const region = (address: number, [from, to]: readonly [number, number]): Region.Region => ({
    kind: "float32",
    shape: [to - from, width],
    address: address + from * row
  })
  const graph = (i: number): Job.Graph => {
    const own = [seams[i]!, seams[i + 1]!] as const
    const shifted = own.map((seam) => (seam === 0 || seam === rows ? seam : seam + shift)) as [number, number]
    return {
      model: new Uint8Array(),
      optimize: true,
      keeps: true,
      threads: 1,
      awake: true,
      feeds: { state: region(state, own) },
      fetches: { first: region(first, own), second: region(second, shifted) }
    }
  }
  const all = Array.from({ length: threads }, (_, thread) =>
    Array.from({ length: graphs }, (_, i) => graph(thread * graphs + i))
  )
  const size = Math.ceil(((rows - 1) * width) / 4) * 16
  const pass: Early.Pass = { size, read: [first, second + row, state], numbers: [], written: [state] }
  const touched = all.map((own) =>
    own.map(({ feeds, fetches }) => ({
      reads: Object.values(feeds).map(Range.of),
      writes: Object.values(fetches).map(Range.of)
    }))
  )
  return { graphs: all, passes: [pass], shares: [Early.make(pass, touched, [])] }
}

const words = ([from, to]: Range.Range): ReadonlyArray<number> =>
  Array.from({ length: (to - from) / word }, (_, i) => from + i * word)

/** Runs all graphs and parts in order and checks that, for each word it reads, the pass finds the address that was meant. */
const carriedOut = (before: Reuse.Divided, { elsewhere, graphs, passes, shares }: Reuse.Reused) => {
  const memory = new Map<number, number>()
  const [{ read, size }] = passes as readonly [Early.Pass]
  const seen = new Set<number>()
  const look = ([from, to, ...at]: Job.Call) => {
    // A pass takes four floats at a time.
    assert.deepStrictEqual([from % 16, to % 16], [0, 0])
    const moved = [...elsewhere[0]!]
    for (const [i, address] of read.slice(0, 2).entries()) {
      const base = moved.includes(i) ? at[moved.indexOf(i)]! : address
      for (const region of words([from, to])) {
        const found = memory.get(base + region)
        // Beyond an array's end there is nothing.
        if (found !== undefined) assert.strictEqual(found, address + region)
        if (found !== undefined && i === 0) seen.add(region)
      }
    }
  }
  for (let graph = 0; graph < graphs[0]!.length; graph++) {
    for (const [thread, own] of graphs.entries()) {
      for (const [name, region] of Object.entries(own[graph]!.fetches)) {
        const meant = words(Range.of(before.graphs[thread]![graph]!.fetches[name]!))
        for (const [i, address] of words(Range.of(region)).entries()) memory.set(address, meant[i]!)
      }
    }
    for (const { early } of shares[0]!) early[graph]!.forEach(look)
  }
  for (const { late } of shares[0]!) late.forEach(look)
  assert.isAtLeast(seen.size * word, size - 16)
}

const addresses = ({ graphs }: Pick<Reuse.Divided, "graphs">) =>
  new Set(graphs.flat().flatMap(({ fetches }) => Object.values(fetches).map(({ address }) => address)))

describe("results that lie where earlier ones did", () => {
  it("are all read before another takes their place, whatever the seams", () => {
    const random = Pseudorandom.make(11)
    const within = (least: number, most: number) => least + Math.floor(random.uniform(0, most - least + 1))
    let fewer = 0
    for (let i = 0; i < 200; i++) {
      const [threads, graphs] = [within(1, 3), within(1, 6)]
      const rows = threads * graphs * within(2, 5) + within(0, 3)
      const before = divided(threads, graphs, rows, within(1, 40), within(-1, 1))
      const after = Reuse.make(before, [])
      carriedOut(before, after)
      if (addresses(after).size < addresses(before).size) fewer++
    }
    assert.isAbove(fewer, 20)
  })

  it("take the room of a few graphs however many there are, and none where they are kept", () => {
    const before = divided(2, 12, 240, 16, -1)
    assert.isAtMost(addresses(Reuse.make(before, [])).size, 2 * 2 * 4)
    const kept = before.graphs.flat().flatMap(({ fetches }) => Object.values(fetches))
    assert.strictEqual(addresses(Reuse.make(before, kept)).size, addresses(before).size)
  })
})
