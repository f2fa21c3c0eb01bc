import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Room for an installation of these tests several times over. */
const SIZE = '32M';

/** memory: can be filled up and made read-only. journaled: can break, as a disk does, with files open on it. */
export type DiskKind = 'memory' | 'journaled';

/** A small disk of its own in the place of a folder. What is in the folder moves there, and back when it is closed. */
export class Disk {
  readonly #kind: DiskKind;
  readonly #folder: string;
  /** Holds the disk's mount point, and the file a journaled one is made of. */
  readonly #home: string;

  private constructor(kind: DiskKind, folder: string, home: string) {
    this.#kind = kind;
    this.#folder = folder;
    this.#home = home;
  }

  static async inPlaceOf(folder: string, kind: DiskKind = 'memory'): Promise<Disk> {
    const disk = new Disk(kind, folder, await mkdtemp(join(tmpdir(), 'sync-data-disk-')));
    await mkdir(disk.#root);
    if (kind === 'journaled') {
      await run('truncate', ['-s', SIZE, disk.#image]);
      await run('mkfs.ext4', ['-q', '-F', disk.#image]);
    }
    await disk.#mount();
    await mkdir(disk.#data);
    await move(folder, disk.#data);
    await disk.#show();
    return disk;
  }

  /** Leaves so many bytes free. */
  async fill(leaving = 0): Promise<void> {
    for (;;) {
      const { bavail, bsize } = await statfs(this.#root);
      const room = bavail * bsize - leaving;
      if (room <= 0) return;
      // Others may be quicker to take what is free.
      await appendFile(this.#ballast, Buffer.alloc(room)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      });
    }
  }

  async empty(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** Fails where a file is open for writing. */
  async makeReadOnly(on: boolean): Promise<void> {
    await run('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, this.#root]);
  }

  /** What was written has then reached it. */
  async flush(): Promise<void> {
    await run('sync', ['--file-system', this.#root]);
  }

  /** What the system does after an error of the disk: nothing is written any more, whoever has files open. */
  async breakDown(): Promise<void> {
    await run('mount', ['-o', 'remount,abort', this.#root]);
  }

  /** As a restart does after that, or after a power cut: what had not reached the disk is gone. */
  async mend(): Promise<void> {
    await run('umount', [this.#folder]);
    await run('umount', [this.#root]);
    // 1: errors were corrected.
    await run('e2fsck', ['-f', '-y', this.#image]).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 1) throw error;
    });
    await this.#mount();
    await this.#show();
  }

  async close(): Promise<void> {
    await unmount(this.#folder);
    await this.empty();
    await move(this.#data, this.#folder);
    await unmount(this.#root);
    await rm(this.#home, { recursive: true });
  }

  get #root(): string {
    return join(this.#home, 'root');
  }

  get #image(): string {
    return join(this.#home, 'image');
  }

  get #data(): string {
    return join(this.#root, 'data');
  }

  /** Beside what the folder shows: the command never meets it. */
  get #ballast(): string {
    return join(this.#root, 'ballast');
  }

  async #mount(): Promise<void> {
    const what =
      this.#kind === 'memory' ? ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs'] : ['-o', 'loop', this.#image];
    await run('mount', [...what, this.#root]);
  }

  async #show(): Promise<void> {
    await run('mount', ['--bind', this.#data, this.#folder]);
  }
}

const reasons = new Map<DiskKind, string | undefined>();

/** Why no such disk can be had here. */
export function noDisk(kind: DiskKind): string | undefined {
  if (!reasons.has(kind)) reasons.set(kind, tryDisk(kind));
  return reasons.get(kind);
}

function tryDisk(kind: DiskKind): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount a disk';
  const folder = mkdtempSync(join(tmpdir(), 'sync-data-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'pipe' });
    try {
      if (kind === 'memory') return undefined;
      const [image, root] = [join(folder, 'image'), join(folder, 'root')];
      execFileSync('mkdir', [root]);
      execFileSync('truncate', ['-s', SIZE, image]);
      execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'pipe' });
      execFileSync('mount', ['-o', 'loop', image, root], { stdio: 'pipe' });
      execFileSync('umount', [root]);
      return undefined;
    } finally {
      execFileSync('umount', [folder]);
    }
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? error.message) : String(error);
  } finally {
    rmdirSync(folder);
  }
}

async function move(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    await cp(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true });
    await rm(join(from, name), { recursive: true });
  }
}

/** A command that hangs there keeps it; the rig kills it later. */
async function unmount(folder: string): Promise<void> {
  await run('umount', [folder]).catch(() => run('umount', ['--lazy', folder]));
}
