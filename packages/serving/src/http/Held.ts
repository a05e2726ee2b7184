/**
 * Bytes held by all requests at one time. A request may take what is free; where nothing is, the heaviest client gives way, so that however much some
 * clients hold, half sent or unread, others are still served. Until then it costs no more than a few sums.
 */
import * as Bag from "../Bag.ts"

/** What one request holds. */
export interface Share extends Bag.Item {
  bytes: number
  readonly connection: Connection
  /** Ends the request; set only while it waits for its client and not for this server. */
  giveWay: (() => void) | undefined
}

/** Whose shares they are: the requests of one address are weighed together and, within the heaviest address, those of one connection. */
interface Connection {
  bytes: number
  open: boolean
  readonly ip: string | undefined
  address: Address
  readonly shares: Array<Share>
}

interface Address {
  bytes: number
  readonly connections: Set<Connection>
}

/** All shares by address and connection, and the sum of each. */
export interface Held {
  bytes: number
  readonly limit: number
  readonly addresses: Map<string | undefined, Address>
  readonly connections: Map<Closing, Connection>
}

/** A socket or a session. */
interface Closing {
  readonly once: (event: "close", listener: () => void) => unknown
}

/** Makes an empty account that may grow to `limit` bytes. */
export const make = (limit: number): Held => ({ bytes: 0, limit, addresses: new Map(), connections: new Map() })

/** Whether more is held than allowed, even though everyone who was waiting gave way. */
export const isOver = ({ bytes, limit }: Held): boolean => bytes > limit

const emptyAddress = (): Address => ({ bytes: 0, connections: new Set() })

/** Counts a connection among those of its address. */
const enter = (held: Held, connection: Connection): void => {
  const address = held.addresses.get(connection.ip) ?? emptyAddress()
  held.addresses.set(connection.ip, address)
  address.connections.add(connection)
  connection.address = address
}

// Only once the connection has closed, not at the end of each request: see `Bag`.
const forget = (held: Held, connection: Connection): void => {
  const { address, ip, open, shares } = connection
  if (open || shares.length > 0 || !address.connections.delete(connection)) return
  if (address.connections.size === 0) held.addresses.delete(ip)
}

const connect = (held: Held, closing: Closing, ip: string | undefined): Connection => {
  const connection: Connection = { bytes: 0, open: true, ip, address: emptyAddress(), shares: [] }
  held.connections.set(closing, connection)
  closing.once("close", () => {
    connection.open = false
    held.connections.delete(closing)
    forget(held, connection)
  })
  return connection
}

/** Makes an empty share of a connection from an address. */
export const share = (
  held: Held,
  closing: Closing,
  ip: string | undefined,
  giveWay: (() => void) | undefined
): Share => {
  const connection = held.connections.get(closing) ?? connect(held, closing, ip)
  return { bytes: 0, place: Bag.nowhere, connection, giveWay }
}

const weigh = (held: Held, share: Share, bytes: number): void => {
  const { connection } = share
  share.bytes += bytes
  connection.bytes += bytes
  connection.address.bytes += bytes
  held.bytes += bytes
}

/** Gives back all that a share holds. */
export const release = (held: Held, share: Share): void => {
  if (!Bag.remove(share.connection.shares, share)) return
  weigh(held, share, -share.bytes)
  forget(held, share.connection)
}

const heaviestFirst = <A extends { readonly bytes: number }>(sums: Iterable<A>): ReadonlyArray<A> =>
  [...sums].sort((one, other) => other.bytes - one.bytes)

/** The largest share that waits for its client, of the heaviest connection of the heaviest address that has one. */
const heaviest = (held: Held): Share | undefined => {
  for (const { connections } of heaviestFirst(held.addresses.values()))
    for (const { shares } of heaviestFirst(connections.values()))
      for (const share of heaviestFirst(shares)) if (share.giveWay !== undefined) return share
  return undefined
}

/** Adds bytes to a share, which may then have to give way itself. */
export const take = (held: Held, share: Share, bytes: number): void => {
  const { connection } = share
  // With its first bytes, and where a connection that has closed still adds bytes that came before.
  if (!connection.address.connections.has(connection)) enter(held, connection)
  Bag.add(connection.shares, share)
  weigh(held, share, bytes)
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
