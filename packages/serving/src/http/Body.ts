/**
 * A request's body, bounded in its own bytes and in the bytes of all bodies held at one time.
 */
import type { IncomingMessage } from "node:http"
import { constants, type Http2Stream } from "node:http2"
import { Result } from "effect"
import { BodyTooLarge, type RequestInvalid } from "../RequestError.ts"
import * as Encoding from "./Encoding.ts"
import * as Held from "./Held.ts"
import type { Limits } from "./Limits.ts"
import * as Reply from "./Reply.ts"

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

/**
 * Ends a request and its answer. Where the request has been read to its end, node alone would leave the connection open; an HTTP/2 client that is
 * told of no error may wait for an answer for ever.
 */
export const cutOff = (request: IncomingMessage & { readonly stream?: Http2Stream }): void => {
  request.stream?.close(constants.NGHTTP2_CANCEL)
  ;(request.stream ?? request.socket).destroy()
}

const refused = (reason: BodyTooLarge | RequestInvalid) => Result.fail(Reply.failure(reason))

/**
 * Reads a body to its end. `done` is called once, or never where the client goes away first; a refusal comes before the body's end, and a client that
 * keeps sending is cut off. `proceed` is called where the headers alone give no reason to refuse. Whoever is done with the body releases its share,
 * and may also cut the request off.
 */
export const read = (
  request: IncomingMessage & { readonly stream?: Http2Stream },
  limits: Limits,
  held: Held.Held,
  proceed: () => void,
  done: (result: Result.Result<Uint8Array, Reply.Reply>, share: Held.Share, cut: () => void) => void
): void => {
  let chunks: Array<Uint8Array> = []
  let received = 0
  let open = true
  let ended = false
  let timer: NodeJS.Timeout | undefined
  let stopDecoding = () => {}
  const finish = (result: Result.Result<Uint8Array, Reply.Reply>) => {
    open = false
    share.giveWay = undefined
    clearTimeout(timer)
    stopDecoding()
    chunks = []
    if (Result.isFailure(result)) Held.release(held, share)
    done(result, share, cut)
  }
  const giveWay = () => finish(Result.fail(busy))
  const cut = () => cutOff(request)
  const { socket, stream } = request
  const share = Held.share(held, stream?.session ?? socket, socket.remoteAddress, giveWay)
  const tooLarge = () => finish(refused(new BodyTooLarge({ limit: limits.bodyBytes })))
  const coding = Encoding.ofBody(request.headers["content-encoding"])
  request.on("data", (chunk: Uint8Array) => {
    received += chunk.length
    if (!open) {
      // Reading on for a while lets the client find the answer rather than a broken connection.
      if (received > 2 * limits.bodyBytes) cutOff(request)
      return
    }
    if (received > limits.bodyBytes) return tooLarge()
    chunks.push(chunk)
    Held.take(held, share, chunk.length)
  })
  request.on("end", () => {
    ended = true
    if (!open) return
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    if (coding === undefined || coding === "unknown") return finish(Result.succeed(body))
    const hold = (bytes: number) => Held.take(held, share, bytes)
    stopDecoding = Encoding.decode(coding, body, limits.decompressedBytes, hold, (decoded) =>
      finish(Result.isFailure(decoded) ? refused(decoded.failure) : Result.succeed(decoded.success))
    )
  })
  request.on("close", () => {
    clearTimeout(timer)
    if (open && !ended) Held.release(held, share)
  })
  // For HTTP/1, the server's own timeouts set these bounds.
  if (request.httpVersionMajor > 1) {
    const cut = () => open && cutOff(request)
    request.setTimeout(limits.idleMillis, cut)
    timer = setTimeout(cut, limits.requestMillis)
  }
  if (Number(request.headers["content-length"]) > limits.bodyBytes) tooLarge()
  else if (coding === "unknown") finish(Result.fail(unsupported))
  else proceed()
}
