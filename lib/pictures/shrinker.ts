import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { MOST_PICTURE_PIXELS } from '../limits.ts';

/** A hundred pictures take a second or two. Milliseconds for one. */
const PATIENCE_MS = 5000;
const SCRIPT = new URL('./shrink.js', import.meta.url);

export type PictureType = 'jpeg' | 'webp';

export interface Small {
  readonly type: PictureType;
  /** Pixels of the square that it is to fill (cover) or to fit into (inside); it is never made larger. */
  readonly width: number;
  readonly fit: 'cover' | 'inside';
  /** 1 to 100. */
  readonly quality: number;
}

export interface ShrinkerOptions {
  /** After so many pictures that ended the process or took too long, all others are left. Default: none is. */
  readonly mostLost?: number;
  /** Milliseconds for one picture. */
  readonly patience?: number;
  /** What the process runs: for tests. */
  readonly script?: URL;
}

/**
 * Makes pictures small in a process of its own, where sharp is installed: one that brings the decoder down, or keeps it
 * busy, costs that process and no other. What cannot be done, or not in time, is left.
 */
export class Shrinker {
  readonly #options: ShrinkerOptions;
  readonly #turn = pLimit(1);
  readonly #isInstalled = isInstalled();
  #child: ChildProcess | undefined;
  #lost = 0;
  #closed = false;

  constructor(options: ShrinkerOptions = {}) {
    this.#options = options;
  }

  /** One at a time, in the order they are asked for. Undefined: there is no smaller one to be had. */
  shrink(bytes: Uint8Array, small: Small): Promise<Buffer | undefined> {
    return this.#turn(() => this.#shrink(bytes, small));
  }

  /** Ends the process; what is under way is left. */
  close(): void {
    this.#closed = true;
    this.#end();
  }

  #shrink(bytes: Uint8Array, small: Small): Promise<Buffer | undefined> {
    const { mostLost = Infinity, patience = PATIENCE_MS } = this.#options;
    if (!this.#isInstalled || this.#closed || this.#lost >= mostLost) return Promise.resolve(undefined);
    const child = (this.#child ??= this.#start());
    return new Promise((resolve) => {
      const give = ({ small: found }: { readonly small?: Uint8Array }): void =>
        done(found && Buffer.from(found));
      const fail = (): void => {
        this.#lost += 1;
        this.#end();
        done(undefined);
      };
      const late = setTimeout(fail, patience);
      const done = (result: Buffer | undefined): void => {
        clearTimeout(late);
        child.off('message', give).off('error', fail).off('exit', fail);
        resolve(result);
      };
      child.on('message', give).on('error', fail).on('exit', fail);
      child.send({ bytes, most: MOST_PICTURE_PIXELS, ...small }, (error) => {
        if (error) fail();
      });
    });
  }

  #end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(this.#options.script ?? SCRIPT), {
      serialization: 'advanced',
      env: {},
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // Between two pictures it keeps nobody waiting for its end; one that ended is replaced with the next picture.
    child.unref();
    child.channel?.unref();
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    // A process that cannot be started says so here; whoever waits for it hears of it too.
    child.on('error', () => undefined);
    return child;
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
