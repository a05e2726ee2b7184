/**
 * The bytes of all requests that are held at one time. Whoever comes may take what is free; where nothing is, the heaviest client gives way, so that
 * however much some hold, half sent or unread, others are still served. It costs nothing until then but a few sums.
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

interface Connection {
  bytes: number
  readonly shares: Set<Share>
}

interface Address {
  bytes: number
  readonly connections: Map<object, Connection>
}

/** The shares by whose they are, and the sums of each. */
export interface Held {
  bytes: number
  readonly limit: number
  readonly addresses: Map<string | undefined, Address>
}

/** Nothing yet, and the bytes that it may become. */
export const make = (limit: number): Held => ({ bytes: 0, limit, addresses: new Map() })

/** Whether more is held than may be, though all who wait gave way. */
export const isOver = ({ bytes, limit }: Held): boolean => bytes > limit

const add = (held: Held, share: Share, bytes: number): void => {
  const address = held.addresses.get(share.address) ?? { bytes: 0, connections: new Map<object, Connection>() }
  const connection = address.connections.get(share.connection) ?? { bytes: 0, shares: new Set<Share>() }
  held.addresses.set(share.address, address)
  address.connections.set(share.connection, connection)
  connection.shares.add(share)
  for (const sum of [share, connection, address, held]) sum.bytes += bytes
}

/** Gives all of a share back. */
export const release = (held: Held, share: Share): void => {
  const address = held.addresses.get(share.address)
  const connection = address?.connections.get(share.connection)
  if (address === undefined || connection === undefined || !connection.shares.delete(share)) return
  for (const sum of [connection, address, held]) sum.bytes -= share.bytes
  share.bytes = 0
  if (connection.shares.size === 0) address.connections.delete(share.connection)
  if (address.connections.size === 0) held.addresses.delete(share.address)
}

const heaviestFirst = <A extends { readonly bytes: number }>(sums: Iterable<A>): ReadonlyArray<A> =>
  [...sums].sort((one, other) => other.bytes - one.bytes)

/** The largest share that waits, of the heaviest connection of the heaviest address that has one. */
const heaviest = (held: Held): Share | undefined => {
  for (const { connections } of heaviestFirst(held.addresses.values()))
    for (const { shares } of heaviestFirst(connections.values()))
      for (const share of heaviestFirst(shares)) if (share.giveWay !== undefined) return share
  return undefined
}

/** Adds to a share, which may have to give way itself. */
export const take = (held: Held, share: Share, bytes: number): void => {
  add(held, share, bytes)
  while (isOver(held)) {
    const most = heaviest(held)
    // What is left is this server's own work, which ends by itself.
    if (most === undefined) return
    const { giveWay } = most
    most.giveWay = undefined
    release(held, most)
    giveWay?.()
  }
}
