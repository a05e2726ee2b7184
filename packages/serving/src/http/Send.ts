/**
 * Sends a reply through node's own response, over HTTP/1.1 or HTTP/2.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Encoding from "./Encoding.ts"
import type { Reply } from "./Reply.ts"

// Below this, compression costs more bytes and time than it saves.
const worthCoding = 1024

// What the kernel does not take at once waits for the client, which may never read it.
const mayWait = 64 * 1024

const end = (response: ServerResponse, { status, headers, body }: Reply, idleMillis: number): void => {
  if (response.destroyed) return
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length
  if (length > mayWait) response.setTimeout(idleMillis, () => response.destroy())
  // A 204 answer has no body and states no length (RFC 9110, 8.6).
  response.writeHead(status, status === 204 ? headers : { ...headers, "content-length": length })
  response.end(body)
}

/** Sends a reply, compressed where the client accepts that and it pays; a client that stops reading is dropped after `idleMillis`. */
export const send = (request: IncomingMessage, response: ServerResponse, reply: Reply, idleMillis: number): void => {
  const accept = request.headers["accept-encoding"]
  if (accept === undefined || reply.body.length < worthCoding) {
    end(response, reply, idleMillis)
    return
  }
  const headers = { ...reply.headers, vary: "accept-encoding" }
  const coding = Encoding.accepted(String(accept))
  if (coding === undefined) {
    end(response, { ...reply, headers }, idleMillis)
    return
  }
  const plain = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body
  Encoding.encode(coding, plain, (bytes) => {
    const coded = bytes && { ...reply, headers: { ...headers, "content-encoding": coding }, body: bytes }
    end(response, coded ?? { ...reply, headers }, idleMillis)
  })
}
