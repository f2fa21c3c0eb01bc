import type { Cdn } from './etsy/cdn.ts';
import type { EtsyApi } from './etsy/api.ts';
import type { ModelsOptions } from './models/models.ts';
import type { Sql } from './store/database.ts';

/** What the command hands to the tasks of the Etsy sync. */
export interface Services {
  readonly api: EtsyApi;
  readonly cdn: Cdn;
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
  /** For `useModels`: where models lie and come from, and how many threads run them. */
  readonly modelSettings: ModelsOptions;
  /** Hosts that images may come from, after the stage of pipeline.yaml that names them. */
  readonly imageHosts: readonly string[];
}

/** Epoch seconds, the unit of every timestamp in the data tables. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
