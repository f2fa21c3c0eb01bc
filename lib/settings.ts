import { data } from './dataset/settings.ts';
import { api, rules } from './etsy/settings.ts';
import { models } from './models/settings.ts';
import { settingsWith } from './pipeline/schema.ts';
import { workers } from './workers/settings.ts';

/** All of pipeline.yaml but its stages: the pipeline's own keys, and a block of each part that has settings. */
export const settingsSchema = settingsWith({ api, data, models, rules, workers });
