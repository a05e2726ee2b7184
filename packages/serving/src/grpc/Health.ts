/**
 * grpc.health.v1: whether the server is ready, asked once or watched. Probes bring no token, and learn nothing else.
 */
import { Effect, Schedule, Stream } from "effect"
import type { DataPlane } from "../DataPlane.ts"
import type { Method } from "./Call.ts"
import * as Calls from "./Calls.ts"
import { Health, HealthCheckResponse_ServingStatus as Serving } from "./health_pb.ts"
import * as Status from "./Status.ts"

const { check, list, watch } = Health.method

// By the protocol, a service may become known while it is watched; here none does.
const unknown: Stream.Stream<Serving> = Stream.concat(Stream.succeed(Serving.SERVICE_UNKNOWN), Stream.never)

const notHere: Status.Status = { code: Status.code.NOT_FOUND, message: "there is no service of this name here" }

/** The service's methods; `services` are the names that this server answers for, besides the empty one for the whole server. */
export const methods = (
  run: Calls.Run,
  plane: DataPlane["Service"],
  services: ReadonlyArray<string>
): Readonly<Record<string, Method>> => {
  const status = plane.serverReady.pipe(
    Effect.match({ onSuccess: () => Serving.SERVING, onFailure: () => Serving.NOT_SERVING })
  )
  const knows = (service: string) => service === "" || services.includes(service)
  const statuses: Stream.Stream<Serving> = Stream.fromEffectSchedule(status, Schedule.spaced("500 millis")).pipe(
    Stream.changes
  )
  return {
    check: Calls.unary(run, "probe", check, ({ service }) =>
      knows(service) ? Effect.map(status, (status) => ({ status })) : Effect.fail(notHere)
    ),
    list: Calls.unary(run, "probe", list, () =>
      Effect.map(status, (status) => ({
        statuses: Object.fromEntries(["", ...services].map((service) => [service, { status }]))
      }))
    ),
    watch: Calls.serverStream(
      run,
      "probe",
      watch,
      ({ service }) => Stream.map(knows(service) ? statuses : unknown, (status) => ({ status })),
      { status: Serving.NOT_SERVING }
    )
  }
}
