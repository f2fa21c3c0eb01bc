import type { Disturbance } from './disturbance.ts';
import { endings } from './endings.ts';
import { pictures } from './pictures.ts';
import { storage } from './storage.ts';
import { weather } from './weather.ts';

export const disturbances: readonly Disturbance[] = [...endings, ...weather, ...storage, ...pictures];
