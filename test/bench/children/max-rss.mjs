import { readFileSync } from 'node:fs';

/** The most memory that this process has held, KiB. What the system tells of a process counts, on Linux, its parent's before it, too. */
export function maxRssKb() {
  try {
    const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(peak);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}
