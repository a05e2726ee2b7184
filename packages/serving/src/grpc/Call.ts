/**
 * One gRPC call on its HTTP/2 stream: bounded messages in, messages and a status out; nothing that a client does may end the process.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http"
import { constants, type ServerHttp2Stream } from "node:http2"
import { Result } from "effect"
import * as Bag from "../Bag.ts"
import * as Encoding from "../http/Encoding.ts"
import * as Held from "../http/Held.ts"
import type { Limits } from "../http/Limits.ts"
import { BodyTooLarge, Draining } from "../RequestError.ts"
import { Frames } from "./Frames.ts"
import * as Status from "./Status.ts"

/** What all calls of one server share. */
export interface Shared {
  readonly limits: Limits
  readonly held: Held.Held
  /** The calls that are not over; a call adds and removes itself. */
  readonly open: Array<Call>
  /** Called with a fault of this server's own. */
  readonly onFault: (cause: unknown) => void
}

/** How a method handles one call. */
export interface Handler {
  /** A whole message; whoever is done with its memory calls `release`. */
  readonly message: (bytes: Uint8Array) => void
  /** The client has sent everything. */
  readonly end?: () => void
  /** What was written has gone out, so there is room for more. */
  readonly drain?: () => void
  /** Nobody is waiting for the answer any more. */
  readonly gone?: () => void
  /** The server is stopping: end now what would outlast it. */
  readonly stop?: () => void
}

/** How a method's calls are served. */
export interface Method {
  /** Who may call: `probe` is open to anyone. */
  readonly route: "admin" | "other" | "probe"
  /** Whether a client sends more than one message. */
  readonly streams: boolean
  readonly serve: (call: Call) => Handler
  /** Called with a call that is refused before it has delivered a message. */
  readonly refused?: ((call: Call, code: Status.Code) => void) | undefined
}

// Maximum message size for callers that bring no token; their messages hold only a service's name.
const probeBytes = 4096

// Bytes that node keeps for a stream, whatever it carries.
const base = 4096

const units: Readonly<Record<string, number>> = { H: 3.6e6, M: 6e4, S: 1e3, m: 1, u: 1e-3, n: 1e-6 }

const head: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc" }
const withTrailers = { waitForTrailers: true, sendDate: false }
const endsHere = { endStream: true, sendDate: false }

const invalid = (message: string): Status.Status => ({ code: Status.code.INVALID_ARGUMENT, message })

const notOne: Status.Status = {
  code: Status.code.UNIMPLEMENTED,
  message: "this method takes one message; send exactly one"
}

const unknownCoding: Status.Status = {
  code: Status.code.UNIMPLEMENTED,
  message: `this server reads messages in these encodings: identity, ${Encoding.codings}; send one of them`
}

// What went wrong shows in the stream's close.
const ignore = () => {}

/** A call that has begun. */
export class Call implements Bag.Item {
  place = Bag.nowhere
  readonly headers: IncomingHttpHeaders
  /** Identifies the request in logs and traces, where there is an observer; the answer carries it. */
  readonly requestId: string | undefined
  /** In `performance.now()` time; undefined where the client gave none. */
  readonly deadline: number | undefined
  readonly #shared: Shared
  readonly #stream: ServerHttp2Stream
  readonly #method: Method | undefined
  readonly #streams: boolean
  /** Limits of a message as it arrives, and once it is decompressed. */
  readonly #most: Pick<Limits, "bodyBytes" | "decompressedBytes">
  readonly #frames = new Frames()
  #handler: Handler | undefined
  #status: Status.Status | undefined
  /** Time by which the client must have done its next part. */
  #due = Number.POSITIVE_INFINITY
  readonly #share: Held.Share
  #kept = 0
  #delivered = 0
  #paused = false
  #decoding = false
  #stopDecoding = () => {}
  #reading = false
  #finished = false
  #lingers = false
  #gaveWay = false

  constructor(
    shared: Shared,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    method: Method | undefined,
    requestId: string | undefined
  ) {
    this.#shared = shared
    this.#stream = stream
    this.#method = method
    this.#streams = method?.streams ?? true
    this.#most = method?.route === "probe" ? { bodyBytes: probeBytes, decompressedBytes: probeBytes } : shared.limits
    const { session } = stream
    this.#share = Held.share(shared.held, session ?? stream, session?.socket.remoteAddress, undefined)
    this.headers = headers
    this.requestId = requestId
    const arrival = performance.now()
    if (!this.#streams) this.#due = arrival + shared.limits.requestMillis
    Bag.add(shared.open, this)
    stream.on("data", (chunk: Buffer) => this.#data(chunk))
    stream.on("end", () => this.#end())
    stream.on("close", () => this.#close())
    stream.on("error", ignore)
    this.#settle()
    const timeout = headers["grpc-timeout"]
    if (timeout === undefined) return
    const [, amount, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(String(timeout)) ?? []
    if (amount === undefined) this.end(invalid("grpc-timeout must be up to 8 digits and one of H, M, S, m, u, n"))
    else this.deadline = arrival + Number(amount) * units[unit]!
  }

  /** Whether the call is over, so that nothing more can be sent. */
  get isOver(): boolean {
    return this.#status !== undefined || this.#stream.destroyed || this.#stream.closed
  }

  /** W3C's `traceparent`, as received. */
  get traceparent(): string | undefined {
    const { traceparent } = this.headers
    return typeof traceparent === "string" ? traceparent : undefined
  }

  get limits(): Limits {
    return this.#shared.limits
  }

  get session() {
    return this.#stream.session
  }

  /** Starts handing the call's messages to its method. */
  serve(): void {
    const method = this.#method
    if (method !== undefined && !this.isOver) this.guard(() => this.#take(method.serve(this)))
  }

  /** Sends a message with its prefix; false where the client should read before it is sent more: `drain` is called then. */
  write(frame: Buffer): boolean {
    if (this.isOver) return false
    this.#respond()
    const room = this.#stream.write(frame)
    this.#settle()
    return room
  }

  /** Ends the call, with a last message if there is one. */
  end(status: Status.Status = Status.ok, frame?: Buffer): void {
    if (this.isOver) return
    this.#status = status
    this.#frames.clear()
    this.#stopDecoding()
    this.#kept = 0
    if (this.#delivered === 0 && status.code !== Status.code.OK) this.#method?.refused?.(this, status.code)
    if (frame === undefined && !this.#stream.headersSent) {
      this.#stream.respond({ ...this.#head(), ...Status.trailers(status) }, endsHere)
    } else {
      this.#respond()
      this.#stream.end(frame)
    }
    // Whatever else arrives is discarded, so that the client finds the answer rather than a broken stream.
    if (this.#paused || this.#decoding) this.#stream.resume()
    this.#settle()
  }

  /** Takes no further messages until `resume`. */
  pause(): void {
    this.#paused = true
    this.#stream.pause()
  }

  resume(): void {
    if (!this.#paused || this.isOver) return
    this.#paused = false
    this.#read()
    if (!this.#paused && !this.#decoding) this.#stream.resume()
  }

  /** Returns the memory of messages that are done with; the rest is returned when the call is over. */
  release(bytes: number): void {
    if (this.isOver) return
    this.#kept -= bytes
    this.#settle()
  }

  /** Runs a step; a fault in it ends this call and nothing else. */
  guard(step: () => void): void {
    const done = Result.try(step)
    if (Result.isSuccess(done)) return
    this.#shared.onFault(done.failure)
    this.#abandon(Status.defect)
  }

  /** Lets the method end the call because the server is stopping. */
  stop(): void {
    if (!this.isOver) this.#handler?.stop?.()
  }

  /** Whether the client waits for this server, not the other way round. */
  get isAnswered(): boolean {
    return this.#status === undefined ? this.#delivered > 0 || this.#decoding : !this.#stream.writableFinished
  }

  /** Ends a call whose client does not go on while the server stops. */
  giveUp(): void {
    this.#dismiss(Status.failure(new Draining()))
  }

  /** Checks the time: a client that is late, or that does not read its answer, is not waited for. */
  sweep(now: number): void {
    const { idleMillis } = this.#shared.limits
    if (this.#status === undefined) {
      if (now > (this.deadline ?? Number.POSITIVE_INFINITY)) this.#abandon(Status.late)
      else if (now > this.#due) this.#abandon(Status.slow)
    }
    this.#settle()
    const unread = this.#status !== undefined || this.#stream.writableNeedDrain
    if (unread && !this.#lingers) {
      this.#lingers = true
      if (this.#status !== undefined) this.#due = now + idleMillis
      this.#stream.setTimeout(idleMillis, () => {
        if (this.#status !== undefined || this.#stream.writableNeedDrain) this.#cut()
        // The timer fires once: the next time a client does not read, it gets the full time again.
        else this.#lingers = false
      })
    } else if (this.#status !== undefined && this.#stream.writableFinished) {
      this.#due = Math.min(this.#due, now + idleMillis)
      if (now > this.#due) this.#cut()
    }
  }

  #take(handler: Handler): void {
    this.#handler = handler
    if (handler.drain) {
      this.#stream.on("drain", () => {
        this.#settle()
        if (!this.isOver) handler.drain?.()
      })
    }
  }

  #head(): OutgoingHttpHeaders {
    return this.requestId === undefined ? head : { ...head, "x-request-id": this.requestId }
  }

  #respond(): void {
    if (this.#stream.headersSent) return
    this.#stream.respond(this.#head(), withTrailers)
    this.#stream.on("wantTrailers", () => {
      if (!this.#stream.destroyed) this.#stream.sendTrailers(Status.trailers(this.#status ?? Status.defect))
    })
  }

  #data(chunk: Buffer): void {
    if (this.#status !== undefined) return
    // A client that has sent its one message has nothing more to send.
    if (!this.#streams && this.#delivered > 0) return
    this.#frames.add(chunk)
    this.#settle()
    if (Held.isOver(this.#shared.held)) this.#abandon(Status.busy)
    else this.#read()
  }

  #end(): void {
    this.#finished = true
    this.#read()
  }

  #read(): void {
    if (this.#reading) return
    this.#reading = true
    while (!this.isOver && !this.#paused && !this.#decoding) {
      const next = this.#frames.take(this.#most.bodyBytes)
      if (next === undefined) break
      if (next === "large") this.#abandon(Status.failure(new BodyTooLarge({ limit: this.#most.bodyBytes })))
      else if (!this.#streams && !this.#frames.isEmpty) this.#abandon(notOne)
      else if (next.compressed) this.#decode(next.bytes)
      else this.#deliver(next.bytes)
    }
    this.#reading = false
    if (this.isOver || this.#paused || this.#decoding) {
      if (this.#streams) this.#due = Number.POSITIVE_INFINITY
      return
    }
    if (this.#streams) {
      const isDue = Number.isFinite(this.#due)
      if (this.#frames.isEmpty) this.#due = Number.POSITIVE_INFINITY
      else if (!isDue) this.#due = performance.now() + this.#shared.limits.requestMillis
    }
    if (!this.#finished) return
    this.#finished = false
    if (!this.#frames.isEmpty) this.#abandon(invalid("the stream ends within a message; send it whole"))
    else if (this.#streams) this.guard(() => this.#handler?.end?.())
    else if (this.#delivered === 0) this.#abandon(notOne)
  }

  #decode(bytes: Uint8Array): void {
    const name = this.headers["grpc-encoding"]
    const coding = Encoding.ofBody(typeof name === "string" ? name : undefined)
    if (coding === undefined || coding === "unknown") {
      this.#abandon(unknownCoding)
      return
    }
    this.#decoding = true
    this.#stream.pause()
    // Until it is decompressed, both the message as it came and the part decompressed so far are held.
    let kept = bytes.length
    this.#kept += kept
    const grown = (more: number) => {
      kept += more
      this.#kept += more
      this.#settle()
      if (Held.isOver(this.#shared.held)) this.#abandon(Status.busy)
    }
    this.#stopDecoding = Encoding.decode(coding, bytes, this.#most.decompressedBytes, grown, (decoded) => {
      this.#decoding = false
      if (this.isOver) return
      this.#kept -= kept
      if (Result.isFailure(decoded)) {
        const isLarge = decoded.failure._tag === "BodyTooLarge"
        return this.#abandon(
          isLarge
            ? Status.failure(decoded.failure)
            : invalid(`the message is not ${coding}, as its grpc-encoding says; send it again, or without`)
        )
      }
      this.#deliver(decoded.success)
      this.#read()
      if (!this.#paused && !this.#decoding && !this.isOver) this.#stream.resume()
    })
  }

  #deliver(bytes: Uint8Array): void {
    this.#delivered += 1
    this.#kept += bytes.length
    this.#due = Number.POSITIVE_INFINITY
    this.#settle()
    if (Held.isOver(this.#shared.held)) this.#abandon(Status.busy)
    else this.guard(() => this.#handler?.message(bytes))
  }

  /** Counts what it holds in the shared total. While it waits for its client, it may have to give way to others. */
  #settle(): void {
    if (this.#gaveWay || !Bag.has(this.#shared.open, this)) return
    const bytes = base + this.#frames.cost + this.#kept + this.#stream.writableLength
    const waits = this.#lingers || (this.#status === undefined && (this.#kept === 0 || this.#decoding))
    this.#share.giveWay = waits ? this.#giveWay : undefined
    Held.take(this.#shared.held, this.#share, bytes - this.#share.bytes)
  }

  readonly #giveWay = () => {
    // Its bytes are free for others from now on: counted again, they would make others give way in turn.
    this.#gaveWay = true
    if (this.#status === undefined && this.#stream.writableLength === 0) this.#dismiss(Status.busy)
    else this.#cut()
  }

  #dismiss(status: Status.Status): void {
    this.#abandon(status)
    // Having been told so, the client is not waited for. Not at once: while node is reading bytes, closing the stream would never return.
    setImmediate(() => this.#stream.close(constants.NGHTTP2_NO_ERROR))
  }

  #abandon(status: Status.Status): void {
    this.end(status)
    this.#leave()
  }

  #leave(): void {
    const handler = this.#handler
    this.#handler = undefined
    handler?.gone?.()
  }

  // A client that is told of no error may wait for an answer for ever.
  #cut(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL)
    this.#stream.destroy()
  }

  #close(): void {
    Bag.remove(this.#shared.open, this)
    Held.release(this.#shared.held, this.#share)
    this.#stopDecoding()
    if (this.#status === undefined) this.#leave()
    else this.#handler = undefined
    // Node's handle of a stream outlives the stream by several garbage collections, with everything attached to it.
    this.#stream.removeAllListeners().on("error", ignore)
  }
}
