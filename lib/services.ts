import type { Cdn } from './etsy/cdn.ts';
import type { EtsyApi } from './etsy/api.ts';
import type { ModelsOptions } from './models/models.ts';
import type { Sql } from './store/database.ts';

/** Handed to every task. */
export interface Sources {
  /** Committed rows. Writing is done by the steps a task yields. */
  readonly sql: Sql;
  readonly rules: {
    /** Year. */
    readonly madeSince: number;
    /** Seconds. */
    readonly refreshAfter: number;
    /** From one run to the next; undefined: pipeline.yaml does not say. Seconds. */
    readonly every?: number | undefined;
  };
  /** Absolute path of the images folder. */
  readonly imagesFolder: string;
  /** Absolute path of the folder of cutouts. */
  readonly cutoutsFolder: string;
  /** For `useModels`: where models are and come from, and how many threads run them. */
  readonly modelSettings: ModelsOptions;
  /** Hosts that images may come from: those that stages of pipeline.yaml share under this name. */
  readonly imageHosts: readonly string[];
}

/** Handed to the tasks that name them under `uses`. */
export interface Opened {
  /** Asks behind the one throttle, quota and ledger. Needs the API key. */
  readonly api: EtsyApi;
  /** Downloads images, one at a time. */
  readonly cdn: Cdn;
}

/** `entries`: image_metadata.json is read before the run and written when stages end; the rows are in meta_data. */
export type ServiceName = keyof Opened | 'entries';

export interface Services extends Sources, Opened {}

/** What a task is handed that names these under `uses`. */
export type ServicesWith<Name extends ServiceName> = Sources & Pick<Opened, Name & keyof Opened>;
