/**
 * The bytes of all requests that are held at one time. Whoever comes may take what is free; where nothing is, the heaviest client gives way, so that
 * however much some hold, half sent or unread, others are still served. It costs nothing until then but a place in a set.
 */

/** What one request holds. */
export interface Share {
  bytes: number
  /** Whose it is: the requests of one address are weighed together, and of the heaviest those of one connection. */
  readonly address: string | undefined
  readonly connection: object
  /** Ends the request, while it waits for its client and not for this server. */
  giveWay: (() => void) | undefined
}

/** The shares, and their sum. */
export interface Held {
  bytes: number
  readonly limit: number
  readonly shares: Set<Share>
}

/** Nothing yet, and the bytes that it may become. */
export const make = (limit: number): Held => ({ bytes: 0, limit, shares: new Set() })

/** Gives all of a share back. */
export const release = (held: Held, share: Share): void => {
  held.bytes -= share.bytes
  share.bytes = 0
  held.shares.delete(share)
}

/** Those of the shares that together weigh most, of those that have a key in common. */
const heaviest = (shares: ReadonlyArray<Share>, keyOf: (share: Share) => unknown): ReadonlyArray<Share> => {
  const sums = new Map<unknown, number>()
  for (const share of shares) sums.set(keyOf(share), (sums.get(keyOf(share)) ?? 0) + share.bytes)
  const most = [...sums.values()].reduce((most, sum) => Math.max(most, sum), 0)
  return shares.filter((share) => sums.get(keyOf(share)) === most)
}

/** Adds to a share, which may have to give way itself. */
export const take = (held: Held, share: Share, bytes: number): void => {
  share.bytes += bytes
  held.bytes += bytes
  held.shares.add(share)
  while (held.bytes > held.limit) {
    const waiting = [...held.shares].filter(({ giveWay }) => giveWay !== undefined)
    const ofAddress = heaviest(waiting, ({ address }) => address)
    const ofConnection = heaviest(ofAddress, ({ connection }) => connection)
    const [most] = heaviest(ofConnection, (share) => share)
    // What is left is this server's own work, which ends by itself.
    if (most === undefined) return
    const { giveWay } = most
    most.giveWay = undefined
    release(held, most)
    giveWay?.()
  }
}
