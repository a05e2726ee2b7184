// Threads start and real computations run: on a busy machine that takes longer than vitest's five seconds.
export default { test: { testTimeout: 60_000, hookTimeout: 60_000 } }
