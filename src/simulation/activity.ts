/**
 * How many asynchronous computations run, which is to say, do not wait for the simulated network.
 * Promises go on in microtasks: what follows from one event has all happened when none runs.
 */
export interface Activity {
  begin(): void
  end(): void
  readonly idle: boolean
  /** Lets microtasks run until nothing runs. */
  settle(): Promise<void>
}

/** Far more turns than any check takes. */
const TOO_MANY = 100_000

export function activity(): Activity {
  let running = 0
  return {
    begin: () => void running++,
    end: () => void running--,
    get idle() {
      return running === 0
    },
    async settle() {
      for (let turn = 0; running !== 0; turn++) {
        if (turn === TOO_MANY) {
          throw new Error('a check waits for something that is not simulated, such as a real timer')
        }
        await undefined
      }
    },
  }
}
