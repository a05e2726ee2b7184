/**
 * Where the threads of one run wait until all have come.
 */

/** Shared memory for a meeting: how many have come, how often all have met, whether one has failed, whether one is gone for good. */
export const memory = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(16))

const [come, met, broken, left] = [0, 1, 2, 3]

/** Before a run: nobody has failed. */
export const begin = (shared: Int32Array<SharedArrayBuffer>): void => void Atomics.store(shared, broken, 0)

/** One thread is gone: whoever waits for it, now or later, waits no longer. */
export const leave = (shared: Int32Array<SharedArrayBuffer>): void => {
  Atomics.store(shared, left, 1)
  Atomics.add(shared, met, 1)
  Atomics.notify(shared, met)
}

/** Looks at whether the others have come, some tens of microseconds. */
const patience = 4000

/** One thread's side of the meeting of so many. */
export const make = (shared: Int32Array<SharedArrayBuffer>, threads: number) => ({
  fail: (): void => void Atomics.store(shared, broken, 1),
  failed: (): boolean => Atomics.load(shared, broken) === 1 || Atomics.load(shared, left) === 1,
  meet: (): void => {
    if (threads === 1) return
    const before = Atomics.load(shared, met)
    if (Atomics.add(shared, come, 1) < threads - 1) {
      // To sleep and be woken takes longer than the others are late, most of the time.
      for (let i = 0; i < patience && Atomics.load(shared, met) === before; i++);
      while (Atomics.load(shared, met) === before && Atomics.load(shared, left) === 0) {
        Atomics.wait(shared, met, before)
      }
      return
    }
    Atomics.store(shared, come, 0)
    Atomics.add(shared, met, 1)
    Atomics.notify(shared, met)
  }
})
