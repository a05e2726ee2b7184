/**
 * A port that the server cannot listen on.
 */
import { Effect, Schema } from "effect"

/** The server could not listen. */
export class AddressUnavailable extends Schema.TaggedError<AddressUnavailable>()("AddressUnavailable", {
  host: Schema.String,
  port: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `expected to listen on ${this.host}:${this.port}, but ${this.reason}; give another host or port (0 takes a free one)`
  }

  /** Fails for a number that is no port; node would throw. */
  static readonly checkPort = (host = "127.0.0.1", port = 0): Effect.Effect<void, AddressUnavailable> =>
    Number.isInteger(port) && port >= 0 && port <= 65_535
      ? Effect.void
      : Effect.fail(new AddressUnavailable({ host, port, reason: "a port is a whole number from 0 to 65535" }))

  /** The error for what the system reports: an error with a code, or one whose message contains it. */
  static readonly because = (host: string, port: number, cause: unknown): AddressUnavailable => {
    const code = /\bE[A-Z]{3,}\b/.exec(String(cause instanceof Error && "code" in cause ? cause.code : cause))?.[0]
    const reason =
      code === "EADDRINUSE" ? "another program has that port" : code === "EACCES" ? "that port is not allowed" : code
    return new AddressUnavailable({ host, port, reason: reason ?? "no reason was given" })
  }
}
