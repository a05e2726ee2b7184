/**
 * Where the threads of one run wait until all have come, and take work off each other before.
 */

const [come, met, broken, left, changes, own] = [0, 1, 2, 3, 4, 5]

/**
 * Shared memory for a meeting of so many: how many have come, how often all have met, whether one has failed, whether one is gone for good, how often
 * any of it has changed; and of each thread how often its work has been there, and how much of it is taken.
 */
export const memory = (threads: number): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (own + 2 * threads)))

type Shared = Int32Array<SharedArrayBuffer>

/** Before a run: nobody has failed. */
export const begin = (shared: Shared): void => void Atomics.store(shared, broken, 0)

const tell = (shared: Shared): void => {
  Atomics.add(shared, changes, 1)
  Atomics.notify(shared, changes)
}

/** One thread is gone: whoever waits for it, now or later, waits no longer. */
export const leave = (shared: Shared): void => {
  Atomics.store(shared, left, 1)
  tell(shared)
}

/** Looks at whether anything has changed, some tens of microseconds. */
const patience = 4000

/** One thread's side of a meeting; `work` is what each has to do in pieces, which any of them may do as soon as it is there. */
export const make = (shared: Shared, number: number, work: ReadonlyArray<ReadonlyArray<() => void>>) => {
  const threads = work.length
  const [ready, taken] = [(thread: number) => own + 2 * thread, (thread: number) => own + 2 * thread + 1]
  const failed = (): boolean => Atomics.load(shared, broken) === 1 || Atomics.load(shared, left) === 1
  const wait = (isOver: () => boolean): void => {
    for (;;) {
      const before = Atomics.load(shared, changes)
      if (isOver() || Atomics.load(shared, left) === 1) return
      // To sleep and be woken takes longer than the others are late, most of the time.
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
    /** The own work is there: does it, and what others have left of theirs. Every thread does this as often as the others. */
    work: (): void => {
      // As a word of the shared memory counts, which begins again from below 0.
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
