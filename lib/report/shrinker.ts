import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { MOST_PICTURE_PIXELS } from '../limits.ts';

/** All pictures of a report together take a second or two. Milliseconds for one. */
const PATIENCE_MS = 5000;
const SCRIPT = fileURLToPath(new URL('./shrink.js', import.meta.url));

export type PictureType = 'jpeg' | 'webp';

/**
 * Makes pictures small in a process of its own, where sharp is installed. It ends with the report; what it cannot do, or
 * not in time, it leaves.
 */
export class Shrinker {
  #child: ChildProcess | undefined;
  #works = isInstalled();
  #id = 0;

  /** @param width of the square that it is to fill, or (webp) to fit into; pixels */
  async shrink(bytes: Buffer, type: PictureType, width: number): Promise<Buffer | undefined> {
    if (!this.#works) return undefined;
    const child = (this.#child ??= this.#start());
    const id = ++this.#id;
    return new Promise((resolve) => {
      const give = (answer: { readonly id: number; readonly small?: Uint8Array }): void => {
        if (answer.id === id) done(answer.small && Buffer.from(answer.small));
      };
      const fail = (): void => {
        this.#works = false;
        done(undefined);
      };
      const late = setTimeout(fail, PATIENCE_MS);
      const done = (small: Buffer | undefined): void => {
        clearTimeout(late);
        child.off('message', give).off('error', fail).off('exit', fail);
        resolve(small);
      };
      child.on('message', give).on('error', fail).on('exit', fail);
      child.send({ id, bytes, type, width, most: MOST_PICTURE_PIXELS }, (error) => {
        if (error) fail();
      });
    });
  }

  close(): void {
    this.#child?.kill('SIGKILL');
  }

  #start(): ChildProcess {
    return fork(SCRIPT, {
      serialization: 'advanced',
      env: {},
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  }
}

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('sharp');
    return true;
  } catch {
    return false;
  }
}
