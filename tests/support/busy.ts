/** For `expect.poll` and `vi.waitUntil`: how long a real server may take on a busy machine. */
export const BUSY = { timeout: 10_000, interval: 20 }
