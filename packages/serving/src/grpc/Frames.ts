/**
 * gRPC's messages in the bytes of a stream: each is preceded by one byte that says whether it is compressed, and four with its length.
 */

/** A message as received. */
export interface Frame {
  readonly compressed: boolean
  readonly bytes: Uint8Array
}

/** Number of bytes before each message. */
export const prefix = 5

// Cost of a part besides its bytes, because a client may send one byte at a time.
const overhead = 256

/** Bytes received that have not been taken as messages yet. */
export class Frames {
  #parts: Array<Buffer> = []
  #bytes = 0

  /** Bytes of memory that they take. */
  get cost(): number {
    return this.#bytes + overhead * this.#parts.length
  }

  /** Whether no message has begun. */
  get isEmpty(): boolean {
    return this.#bytes === 0
  }

  add(part: Buffer): void {
    this.#parts.push(part)
    this.#bytes += part.length
  }

  clear(): void {
    this.#parts = []
    this.#bytes = 0
  }

  /** Takes the next message, a view of its bytes; undefined until it is whole, and `"large"` as soon as its length is over the limit. */
  take(limit: number): Frame | "large" | undefined {
    if (this.#bytes < prefix) return undefined
    if (this.#parts[0]!.length < prefix) this.#join()
    const length = this.#parts[0]!.readUInt32BE(1)
    if (length > limit) return "large"
    const end = prefix + length
    if (this.#bytes < end) return undefined
    if (this.#parts[0]!.length < end) this.#join()
    const part = this.#parts[0]!
    if (part.length === end) this.#parts.shift()
    else this.#parts[0] = part.subarray(end)
    this.#bytes -= end
    return { compressed: part[0] !== 0, bytes: part.subarray(prefix, end) }
  }

  #join(): void {
    this.#parts = [Buffer.concat(this.#parts, this.#bytes)]
  }
}

/** Allocates memory for a message of this length and writes its prefix. */
export const framed = (length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(prefix + length)
  bytes[0] = 0
  bytes.writeUInt32BE(length, 1)
  return bytes
}

/** A message with its prefix, as it is sent. */
export const frame = (message: Uint8Array): Buffer => {
  const bytes = framed(message.length)
  bytes.set(message, prefix)
  return bytes
}
