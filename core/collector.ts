import {constants, PerformanceObserver} from 'node:perf_hooks';
import {getHeapStatistics, setFlagsFromString} from 'node:v8';

/**
 * What lives in a heap is much from here on: more than 2,000 busy hosts take (45 to 60 MiB), less than
 * 10,000 streams have when they have just begun (90 MiB): the limit that V8 sets then is reached late.
 */
const LARGE_BYTES = 72 * 2 ** 20;
/** By how much of it a large heap grows before it is collected again; V8 itself lets it grow fourfold. */
const GROWTH_PERCENT = 60;

/** The heap is the process's, however many cores it holds. */
let isTuned = false;

/**
 * Lets typed arrays and buffers count towards V8's own limit of the heap instead of one of their
 * own. That one is so small (some 64 MiB of new ones) that a core that takes 500,000 samples a
 * second collected everything it has seven times a second, for a third of its CPU; now it does so
 * once. And lets a large heap grow by less: the messages of 10,000 streams grow old before a tick
 * takes them, and a gigabyte of them was waiting to be collected. To be called before there is much
 * to collect.
 */
export function tuneCollector(): void {
  if (isTuned) return;
  isTuned = true;
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  let isLarge = false;
  const observer = new PerformanceObserver(list => {
    if (!list.getEntries().some(isMajor)) return;
    const wasLarge = isLarge;
    isLarge = getHeapStatistics().used_heap_size > LARGE_BYTES;
    // 0: as V8 sees fit.
    if (isLarge !== wasLarge) {
      setFlagsFromString(`--heap-growing-percent=${isLarge ? GROWTH_PERCENT : 0}`);
    }
  });
  observer.observe({entryTypes: ['gc']});
}

function isMajor(entry: object): boolean {
  const {detail} = entry as {detail?: {kind?: number}};
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
