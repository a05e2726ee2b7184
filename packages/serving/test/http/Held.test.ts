import { EventEmitter } from "node:events"
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Held from "../../src/http/Held.ts"

const step = fc.oneof(
  fc.record({ what: fc.constant("open" as const), client: fc.nat(2), waits: fc.boolean() }),
  fc.record({ what: fc.constant("take" as const), which: fc.nat(4), bytes: fc.nat(60) }),
  fc.record({ what: fc.constant("release" as const), which: fc.nat(4) }),
  fc.record({ what: fc.constant("close" as const), client: fc.nat(2) })
)

it("counts what requests hold, whatever clients do, and forgets those that are gone", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = Held.make(100)
      const clients = ["a", "a", undefined].map((ip) => ({ ip, socket: new EventEmitter() }))
      const shares: Array<{ readonly share: Held.Share; readonly ip: string | undefined; bytes: number }> = []
      const sum = (some: typeof shares) => some.reduce((all, { bytes }) => all + bytes, 0)
      for (const each of steps) {
        if (each.what === "open") {
          const { ip, socket } = clients[each.client]!
          const share = Held.share(held, socket, ip, each.waits ? () => (known.bytes = 0) : undefined)
          const known = { share, ip, bytes: 0 }
          shares.push(known)
        } else if (each.what === "close") {
          const client = clients[each.client]!
          client.socket.emit("close")
          client.socket = new EventEmitter()
        } else {
          const known = shares[each.which]
          if (known === undefined) continue
          if (each.what === "release") {
            known.bytes = 0
            Held.release(held, known.share)
          } else {
            known.bytes += each.bytes
            Held.take(held, known.share, each.bytes)
          }
        }
        assert.strictEqual(held.bytes, sum(shares))
        for (const [ip, { bytes }] of held.addresses) {
          assert.isAtMost(bytes, sum(shares.filter((share) => share.ip === ip)))
        }
        // Whoever waits has given way by now, where that was needed.
        if (Held.isOver(held))
          assert.isTrue(shares.every(({ share, bytes }) => share.giveWay === undefined || bytes === 0))
      }
      for (const { share } of shares) Held.release(held, share)
      for (const { socket } of clients) socket.emit("close")
      assert.deepStrictEqual([held.bytes, held.addresses.size, held.connections.size], [0, 0, 0])
    }),
    { numRuns: 2000 }
  )
})
