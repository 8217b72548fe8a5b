/**
 * Says whether a Worker boots that makes an app before its first request, at module scope. In a
 * process of its own, which ends with whatever a workerd that did not boot leaves behind.
 */
import { startWorker } from '../../scripts/workerd.ts'
import { scriptOf } from './script.ts'

const [, , name = ''] = process.argv
process.on('disconnect', () => process.exit())
process.send?.(await boots())

async function boots(): Promise<string> {
  try {
    const worker = await startWorker({ script: await scriptOf(name, 'at module scope') })
    const round = { mode: 'one', requests: 1, first: 0, look: true }
    const answer = await worker.fetch('/', { method: 'POST', body: JSON.stringify(round) })
    return answer.ok ? 'yes' : `no: HTTP ${answer.status}`
  } catch {
    return 'no'
  }
}
