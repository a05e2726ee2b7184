/**
 * A server's credentials: access tokens, and its certificate. Tokens come from files or the environment, never from the command line, which every
 * user of the machine can read.
 */
import type { Access, Tls } from "@rai/serving"
import { Config, Effect, FileSystem, Option, Redacted } from "effect"
import { UsageWrong } from "./UsageWrong.ts"

type File = Option.Option<string>

const read = (file: string) => Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(file))

const token = Effect.fnUntraced(function* (flag: string, file: File, variable: string) {
  const given = Option.isSome(file)
    ? Option.some(yield* read(file.value))
    : Option.map(yield* Config.option(Config.Redacted(variable)), Redacted.value)
  const text = Option.map(given, (value) => value.trim())
  if (Option.isNone(text)) return undefined
  // An empty token would admit anyone who sends an empty one.
  if (!/^[\x21-\x7e]{8,}$/.test(text.value)) {
    return yield* new UsageWrong({
      expected: `a token of at least 8 printable characters without a space in --${flag} or $${variable}`,
      came: `${text.value.length} characters came`,
      advice: "write for instance what `openssl rand -hex 32` prints"
    })
  }
  return Redacted.make(text.value)
})

/** Who may send requests, and who may change the models: nobody unless `adminOpen`. */
export const access = Effect.fn("Credentials.access")(function* (
  files: { readonly token: File; readonly adminToken: File },
  adminOpen: boolean
): Effect.fn.Return<
  Access.Access,
  UsageWrong | Config.ConfigError | Effect.Error<ReturnType<typeof read>>,
  FileSystem.FileSystem
> {
  const all = yield* token("token-file", files.token, "RAI_TOKEN")
  const admin = yield* token("admin-token-file", files.adminToken, "RAI_ADMIN_TOKEN")
  if (adminOpen && admin === undefined) {
    return yield* new UsageWrong({
      expected: "an admin token for --model-control explicit",
      came: "neither --admin-token-file nor $RAI_ADMIN_TOKEN came",
      advice: "give one of the two"
    })
  }
  return { all, admin: adminOpen ? admin : undefined }
})

/** The server's certificate, key and client authority; undefined where it serves without TLS. */
export const tls = Effect.fn("Credentials.tls")(function* ({
  authority,
  certificate,
  key
}: {
  readonly certificate: File
  readonly key: File
  readonly authority: File
}): Effect.fn.Return<Tls.Tls | undefined, UsageWrong | Effect.Error<ReturnType<typeof read>>, FileSystem.FileSystem> {
  if (Option.isNone(certificate) && Option.isNone(key) && Option.isNone(authority)) return undefined
  if (Option.isNone(certificate) || Option.isNone(key)) {
    return yield* new UsageWrong({
      expected: "--tls-cert and --tls-key together",
      came: `--${Option.isSome(certificate) ? "tls-cert" : Option.isSome(key) ? "tls-key" : "tls-client-ca"} came alone`,
      advice: "give both files"
    })
  }
  return {
    certificate: yield* read(certificate.value),
    key: yield* read(key.value),
    clientAuthority: Option.isSome(authority) ? yield* read(authority.value) : undefined
  }
})
