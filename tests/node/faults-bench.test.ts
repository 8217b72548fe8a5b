import { expect, test } from 'vitest'
import { startBackend } from '../../bench/backend/backend.ts'
import { campaign } from '../../bench/faults/campaign.ts'
import { TIDEGATE } from '../../bench/faults/contestants.ts'
import { BAD_DAYS } from '../../bench/faults/faults.ts'
import { tables } from '../../bench/faults/report/reliability.ts'

test('npm run faults measures what happens to requests while a store is away', async () => {
  const backend = await startBackend()
  try {
    const days = BAD_DAYS.filter(({ name }) => name === 'refused')
    const figures = await campaign({
      backend,
      runtime: 'node',
      limiters: [TIDEGATE],
      days,
      warmUpFor: 0,
      awayFor: 1500,
      backFor: 1500,
    })
    const [found] = figures
    expect(figures).toHaveLength(1)
    expect(Object.keys(found?.statuses ?? {})).toEqual(['200', '429'])
    // The store went away: each isolate had not seen all that was used, and granted that.
    expect(found?.lines).toBeGreaterThan(0)
    expect(found?.lines).toBeLessThanOrEqual(2)
    expect(found?.sum.unseen).toBeGreaterThan(40)
    expect(found?.sum.passedAway).toBeGreaterThan(8)
    expect(found?.recovery).toBeLessThan(1500)
    expect(tables(days, figures)).toContain('| Tidegate, Node |')
  } finally {
    await backend.stop()
  }
}, 30_000)
