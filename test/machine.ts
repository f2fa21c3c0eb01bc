import { availableParallelism, cpus } from 'node:os';

/** What figures were taken on, and when. */
export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly platform: string;
  /** Such as 2026-11-22, UTC. */
  readonly date: string;
}

export function thisMachine(): Machine {
  return {
    node: process.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    platform: `${process.platform} ${process.arch}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** On one line. */
export function nameOf({ node, cores, processor, platform, date }: Machine): string {
  return `node ${node}, ${cores} cores (${processor}), ${platform}, ${date}`;
}
