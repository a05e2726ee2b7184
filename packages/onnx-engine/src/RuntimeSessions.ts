/**
 * The runtime's sessions for a thread's graphs.
 */
import { InferenceSession } from "@rai/onnxruntime"
import type * as Job from "./Job.ts"
import type { Device } from "./Message.ts"

/** Options of every session on a device. */
export const options = (device: Device) =>
  ({
    executionProviders: [device],
    logSeverityLevel: 4,
    // Vanishing gradients become denormal numbers, each of which takes a processor a hundred times as long. The runtime makes the thread of its
    // first session treat them as zero, and the threads which that thread starts inherit it.
    extra: { session: { set_denormal_as_zero: "1" } }
  }) satisfies InferenceSession.SessionOptions

/** Sessions by their models. */
export type RuntimeSessions = ReadonlyMap<Uint8Array, InferenceSession>

/** Opens a session for each model of the graphs; where one cannot be opened, the others are released. */
export const open = async (graphs: ReadonlyArray<Job.Graph>, device: Device): Promise<RuntimeSessions> => {
  const sessions = new Map<Uint8Array, InferenceSession>()
  const usual = options(device)
  try {
    for (const { awake, keeps, model, optimize, threads } of graphs) {
      if (sessions.has(model)) continue
      const session = await InferenceSession.create(model, {
        ...usual,
        extra: { session: { ...usual.extra.session, intra_op: { allow_spinning: awake ? "1" : "0" } } },
        intraOpNumThreads: threads,
        enableCpuMemArena: keeps,
        graphOptimizationLevel: optimize ? "all" : "disabled"
      })
      sessions.set(model, session)
    }
    return sessions
  } catch (error) {
    await release(sessions)
    throw error
  }
}

/** Releases all of them. */
export const release = async (sessions: RuntimeSessions): Promise<void> => {
  for (const session of sessions.values()) await session.release()
}
