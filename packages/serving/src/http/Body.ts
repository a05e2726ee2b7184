/**
 * A request's body, bounded: its own bytes, and the bytes of all bodies that are held at one time.
 */
import type { IncomingMessage } from "node:http"
import { constants, type Http2Stream } from "node:http2"
import { Result } from "effect"
import { BodyTooLarge, type RequestInvalid } from "../RequestError.ts"
import * as Encoding from "./Encoding.ts"
import type { Limits } from "./Limits.ts"
import * as Reply from "./Reply.ts"

/** The bytes that all requests hold now. */
export interface Held {
  bytes: number
}

const busy = Reply.error(
  "this server holds as many bytes of requests as it may; ask again in 1 s, or of another replica",
  503,
  {
    "retry-after": "1"
  }
)

const unsupported = Reply.error(
  `this server reads bodies in these encodings: ${Encoding.codings}; send one of them, or none`,
  415,
  {
    "accept-encoding": Encoding.codings
  }
)

// Of HTTP/2, a request that is destroyed leaves its stream as it was; and a client that is told of no error may wait for an answer for ever.
const cutOff = (request: IncomingMessage & { readonly stream?: Http2Stream }) => {
  request.stream?.close(constants.NGHTTP2_CANCEL)
  ;(request.stream ?? request).destroy()
}

const refused = (reason: BodyTooLarge | RequestInvalid) => Result.fail(Reply.failure(reason))

/**
 * Reads a body to its end. `done` is called once, or never where the client goes away first; a body that is refused is refused before its end, and
 * a client that sends on is cut off. `proceed` is called where the head alone refuses nothing. What is held is given back by `release`.
 */
export const read = (
  request: IncomingMessage,
  limits: Limits,
  held: Held,
  proceed: () => void,
  done: (result: Result.Result<Uint8Array, Reply.Reply>, release: () => void) => void
): void => {
  let chunks: Array<Uint8Array> = []
  let received = 0
  let owed = 0
  let open = true
  let ended = false
  let timer: NodeJS.Timeout | undefined
  const release = () => {
    held.bytes -= owed
    owed = 0
  }
  const hold = (bytes: number) => {
    held.bytes += bytes
    owed += bytes
  }
  const finish = (result: Result.Result<Uint8Array, Reply.Reply>) => {
    open = false
    clearTimeout(timer)
    chunks = []
    done(result, release)
  }
  const tooLarge = () => finish(refused(new BodyTooLarge({ limit: limits.bodyBytes })))
  const coding = Encoding.ofBody(request.headers["content-encoding"])
  request.on("data", (chunk: Uint8Array) => {
    received += chunk.length
    if (!open) {
      // Reading on for a while lets the client find the answer instead of a broken connection.
      if (received > 2 * limits.bodyBytes) cutOff(request)
      return
    }
    if (received > limits.bodyBytes) return tooLarge()
    hold(chunk.length)
    if (held.bytes > limits.heldBytes) return finish(Result.fail(busy))
    chunks.push(chunk)
  })
  request.on("end", () => {
    ended = true
    if (!open) return
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    if (coding === undefined || coding === "unknown") return finish(Result.succeed(body))
    Encoding.decode(coding, body, limits.decompressedBytes, (decoded) => {
      if (Result.isFailure(decoded)) return finish(refused(decoded.failure))
      hold(decoded.success.length)
      finish(held.bytes > limits.heldBytes ? Result.fail(busy) : Result.succeed(decoded.success))
    })
  })
  request.on("close", () => {
    clearTimeout(timer)
    if (open && !ended) release()
  })
  // HTTP/1 has these bounds in the server's own timeouts.
  if (request.httpVersionMajor > 1) {
    const cut = () => open && cutOff(request)
    request.setTimeout(limits.idleMillis, cut)
    timer = setTimeout(cut, limits.requestMillis)
  }
  if (Number(request.headers["content-length"]) > limits.bodyBytes) tooLarge()
  else if (coding === "unknown") finish(Result.fail(unsupported))
  else proceed()
}
