/**
 * Where the threads of one run wait for each other, and take work off each other before they do.
 */

const [come, met, broken, left, changes, own] = [0, 1, 2, 3, 4, 5]

/**
 * Allocates shared memory for a meeting of `threads`: how many have arrived, how often all have met, whether one has failed, whether one is gone
 * for good, how often any of this has changed; and for each thread how often its work has been ready, and how much of it is taken.
 */
export const memory = (threads: number): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (own + 2 * threads)))

type Shared = Int32Array<SharedArrayBuffer>

/** Resets the failure flag before a run. */
export const begin = (shared: Shared): void => void Atomics.store(shared, broken, 0)

const tell = (shared: Shared): void => {
  Atomics.add(shared, changes, 1)
  Atomics.notify(shared, changes)
}

/** Marks one thread as gone: whoever waits for it, now or later, waits no longer. */
export const leave = (shared: Shared): void => {
  Atomics.store(shared, left, 1)
  tell(shared)
}

/** Number of polls for a change before a thread sleeps, some tens of microseconds. */
const patience = 4000

/** One thread's side of a meeting; `work` is each thread's work in pieces, which any of them may do as soon as it is ready. */
export const make = (shared: Shared, number: number, work: ReadonlyArray<ReadonlyArray<() => void>>) => {
  const threads = work.length
  const [ready, taken] = [(thread: number) => own + 2 * thread, (thread: number) => own + 2 * thread + 1]
  const failed = (): boolean => Atomics.load(shared, broken) === 1 || Atomics.load(shared, left) === 1
  const wait = (isOver: () => boolean): void => {
    for (;;) {
      const before = Atomics.load(shared, changes)
      if (isOver() || Atomics.load(shared, left) === 1) return
      // Sleeping and waking up usually takes longer than the others are late.
      let i = 0
      while (i < patience && Atomics.load(shared, changes) === before) i++
      if (i === patience) Atomics.wait(shared, changes, before)
    }
  }
  let turn = 0
  const isReady = (thread: number): boolean => Atomics.load(shared, ready(thread)) === turn
  const untaken = function* (thread: number): Iterable<() => void> {
    while (!failed()) {
      const piece = work[thread]![Atomics.add(shared, taken(thread), 1)]
      if (piece === undefined) return
      yield piece
    }
  }
  return {
    fail: (): void => void Atomics.store(shared, broken, 1),
    failed,
    /** Announces that this thread's work is ready, does it, and then what others have left of theirs. Every thread calls this equally often. */
    work: (): void => {
      // Wraps around as the int32 in shared memory does.
      turn = (turn + 1) | 0
      Atomics.store(shared, taken(number), 0)
      Atomics.store(shared, ready(number), turn)
      if (threads > 1) tell(shared)
      const open = new Set([number, ...work.keys()].filter((thread) => work[thread]!.length > 0))
      while (open.size > 0) {
        for (const thread of [...open].filter(isReady)) {
          for (const piece of untaken(thread)) piece()
          open.delete(thread)
        }
        if (open.size > 0) wait(() => failed() || [...open].some(isReady))
        if (failed()) return
      }
    },
    meet: (): void => {
      if (threads === 1) return
      const before = Atomics.load(shared, met)
      if (Atomics.add(shared, come, 1) < threads - 1) {
        wait(() => Atomics.load(shared, met) !== before)
        return
      }
      Atomics.store(shared, come, 0)
      Atomics.add(shared, met, 1)
      tell(shared)
    }
  }
}
